SELECT site FROM works.sensors WHERE site IN (SELECT site FROM works.lines) AND cycles NOT IN (VALUES 1, 2) AND temperature IN (SELECT 1)
