"""Parquet files for tests, written by the database that the binary links, through its C API; and by hand what it does not write."""

import ctypes
import os
import struct

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


# Thrift's compact protocol, as far as Parquet's footer needs it: values are (type, bytes).

def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def i32(n):
    return 5, varint(n << 1)


def i64(n):
    return 6, varint(n << 1)


def text(value):
    return 8, varint(len(value)) + value.encode()


def items(*values):
    return 9, bytes([len(values) << 4 | values[0][0]]) + b"".join(v for _, v in values)


def record(**fields):
    """f1=..., f4=...: the numbers of the fields."""
    out, last = b"", 0
    for name, (kind, value) in fields.items():
        number = int(name[1:])
        out += bytes([number - last << 4 | kind]) + value
        last = number
    return 12, out + b"\0"


def write_int96(path, times_ns):
    """A file with the columns time (INT96), v and w (DOUBLE), none of them ever NULL."""
    columns = (("time", 3, b"".join(struct.pack("<QI", ns % 86400000000000, 2440588 + ns // 86400000000000) for ns in times_ns)),
               *((name, 5, b"".join(struct.pack("<d", i) for i in range(len(times_ns)))) for name in "vw"))
    data, chunks = b"PAR1", []
    for name, kind, values in columns:
        page = record(f1=i32(0), f2=i32(len(values)), f3=i32(len(values)),
                      f5=record(f1=i32(len(times_ns)), f2=i32(0), f3=i32(3), f4=i32(3)))[1] + values
        chunks.append(record(f2=i64(len(data)), f3=record(
            f1=i32(kind), f2=items(i32(0)), f3=items(text(name)), f4=i32(0), f5=i64(len(times_ns)), f6=i64(len(page)),
            f7=i64(len(page)), f9=i64(len(data)))))
        data += page
    footer = record(f1=i32(1), f2=items(record(f4=text("schema"), f5=i32(3)), record(f1=i32(3), f3=i32(0), f4=text("time")),
                                        *(record(f1=i32(5), f3=i32(0), f4=text(n)) for n in "vw")), f3=i64(len(times_ns)),
                    f4=items(record(f1=items(*chunks), f2=i64(len(data)), f3=i64(len(times_ns)))))[1]
    with open(path, "wb") as file:
        file.write(data + footer + struct.pack("<I", len(footer)) + b"PAR1")
