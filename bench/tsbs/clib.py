"""DuckDB and PostgreSQL through their C libraries: what a compiled program would call, without a driver's own work."""

import ctypes as c


class DuckDB:
    class Result(c.Structure):
        _fields_ = [("columns", c.c_uint64), ("rows", c.c_uint64), ("changed", c.c_uint64), ("data", c.c_void_p),
                    ("error", c.c_char_p), ("internal", c.c_void_p)]

    def __init__(self, library, path):
        self.lib = c.CDLL(library)
        self.lib.duckdb_query.argtypes = [c.c_void_p, c.c_char_p, c.c_void_p]
        self.lib.duckdb_result_error.restype = c.c_char_p
        self.lib.duckdb_value_varchar.restype = c.c_void_p
        self.lib.duckdb_value_varchar.argtypes = [c.c_void_p, c.c_uint64, c.c_uint64]
        self.lib.duckdb_free.argtypes = [c.c_void_p]
        self.lib.duckdb_library_version.restype = c.c_char_p
        for name in ("duckdb_row_count", "duckdb_column_count"):
            getattr(self.lib, name).restype = c.c_uint64
        self.db, self.con = c.c_void_p(), c.c_void_p()
        if self.lib.duckdb_open(path.encode(), c.byref(self.db)) or self.lib.duckdb_connect(self.db, c.byref(self.con)):
            raise RuntimeError("duckdb: cannot open " + path)

    def version(self):
        return self.lib.duckdb_library_version().decode()

    def execute(self, text):
        """The whole answer, held by the library until release()."""
        result = self.Result()
        if self.lib.duckdb_query(self.con, text, c.byref(result)):
            message = self.lib.duckdb_result_error(c.byref(result))
            raise RuntimeError(f"duckdb: {message.decode()}")
        return result

    def release(self, result):
        self.lib.duckdb_destroy_result(c.byref(result))

    def text(self, result):
        rows = []
        for i in range(self.lib.duckdb_row_count(c.byref(result))):
            row = []
            for j in range(self.lib.duckdb_column_count(c.byref(result))):
                p = self.lib.duckdb_value_varchar(c.byref(result), j, i)
                row.append(c.string_at(p).decode())
                self.lib.duckdb_free(p)
            rows.append(row)
        return rows

    def close(self):
        self.lib.duckdb_disconnect(c.byref(self.con))
        self.lib.duckdb_close(c.byref(self.db))


class PostgreSQL:
    def __init__(self, library, dsn):
        self.lib = c.CDLL(library)
        for name, result, arguments in (("PQconnectdb", c.c_void_p, [c.c_char_p]), ("PQstatus", c.c_int, [c.c_void_p]),
                                        ("PQexec", c.c_void_p, [c.c_void_p, c.c_char_p]),
                                        ("PQresultStatus", c.c_int, [c.c_void_p]), ("PQclear", None, [c.c_void_p]),
                                        ("PQerrorMessage", c.c_char_p, [c.c_void_p]), ("PQntuples", c.c_int, [c.c_void_p]),
                                        ("PQnfields", c.c_int, [c.c_void_p]), ("PQfinish", None, [c.c_void_p]),
                                        ("PQgetvalue", c.c_char_p, [c.c_void_p, c.c_int, c.c_int])):
            function = getattr(self.lib, name)
            function.restype, function.argtypes = result, arguments
        self.con = self.lib.PQconnectdb(dsn.encode())
        if self.lib.PQstatus(self.con) != 0:
            raise RuntimeError("postgresql: " + self.lib.PQerrorMessage(self.con).decode())

    def execute(self, text):
        result = self.lib.PQexec(self.con, text)
        if self.lib.PQresultStatus(result) not in (1, 2):  # command done, rows
            raise RuntimeError("postgresql: " + self.lib.PQerrorMessage(self.con).decode())
        return result

    def release(self, result):
        self.lib.PQclear(result)

    def text(self, result):
        return [[self.lib.PQgetvalue(result, i, j).decode() for j in range(self.lib.PQnfields(result))]
                for i in range(self.lib.PQntuples(result))]

    def close(self):
        self.lib.PQfinish(self.con)
