DESCRIBE "works"."sensors";
