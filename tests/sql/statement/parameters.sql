SELECT @a, max(@scheduled_runtime) FROM works.sensors WHERE time BETWEEN @scheduled_runtime - 1h AND @to AND site = @site AND cycles + @n > 2 AND site = @site GROUP BY zone
