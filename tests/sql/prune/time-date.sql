SELECT site FROM works.sensors WHERE CAST(time AS date) = DATE '2024-05-17'
