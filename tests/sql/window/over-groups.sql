SELECT site, sum(count(*)) OVER (ORDER BY site), rank() OVER (ORDER BY avg(temperature) DESC) FROM works.sensors GROUP BY site ORDER BY 3
