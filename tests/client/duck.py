"""Parquet files for tests, written by the database that the binary links, through its C API."""

import ctypes
import os

from support import ROOT

LIBRARY = os.path.join(ROOT, "deps", "duckdb", "libduckdb.so")


class Result(ctypes.Structure):
    _fields_ = [("room", ctypes.c_uint64 * 16)]


def execute(*statements):
    library = ctypes.CDLL(LIBRARY)
    library.duckdb_result_error.restype = ctypes.c_char_p
    database, connection = ctypes.c_void_p(), ctypes.c_void_p()
    assert library.duckdb_open(None, ctypes.byref(database)) == 0
    assert library.duckdb_connect(database, ctypes.byref(connection)) == 0
    try:
        for sql in statements:
            result = Result()
            failed = library.duckdb_query(connection, sql.encode(), ctypes.byref(result))
            error = library.duckdb_result_error(ctypes.byref(result))
            library.duckdb_destroy_result(ctypes.byref(result))
            if failed:
                raise AssertionError(f"{sql}: {error}")
    finally:
        library.duckdb_disconnect(ctypes.byref(connection))
        library.duckdb_close(ctypes.byref(database))


def write_parquet(path, select):
    execute(f"COPY ({select}) TO '{path}' (FORMAT PARQUET, COMPRESSION GZIP)")
