SELECT site FROM works.sensors WHERE time >= '2024-05-01' AND time < '2024-05-02 06:00' AND time > ago(90d)
