show tables from "works" like 'a!_%' escape '!'
