SELECT m.id FROM (VALUES 1, 2) AS m(id) WHERE EXISTS (SELECT m.ref FROM (VALUES 2, 3) AS m(ref) WHERE m.id = m.ref)
