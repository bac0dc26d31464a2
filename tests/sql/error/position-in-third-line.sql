SELECT site,
       zone
  FROM works.sensors WHERE	none = 1
