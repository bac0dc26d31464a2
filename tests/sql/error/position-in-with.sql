WITH a AS (
  SELECT site FROM works.sensors
)
SELECT zone FROM a
