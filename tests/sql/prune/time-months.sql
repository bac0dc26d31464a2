SELECT site FROM works.sensors WHERE time + 1month > '2024-05-31' AND time - 1y <= '2023-05-31'
