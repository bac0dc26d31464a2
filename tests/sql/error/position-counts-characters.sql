SELECT 'täglich – 日本', nope FROM works.sensors
