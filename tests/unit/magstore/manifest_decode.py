#!/usr/bin/env python3
"""A manifest, read a second time from docs/format/manifest.md alone.

usage: manifest_decode.py FILE      prints one line for the manifest and one for each of its files
"""
import struct
import sys

HEADER = struct.Struct("<8sIIQQQQ")  # magic version zero generation log next entries
MASK = (1 << 64) - 1


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def zigzag(self):
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def u32(self):
        self.at += 4
        return struct.unpack_from("<I", self.data, self.at - 4)[0]


def signed(value):
    value &= MASK
    return value - (1 << 64) if value >> 63 else value


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    magic, version, zero, generation, log, following, entries = HEADER.unpack_from(data)
    assert (magic, version, zero) == (b"MRMANIFS", 1, 0)
    assert crc32c(data[:-4]) == struct.unpack("<I", data[-4:])[0]
    print(f"manifest {generation} log {log} next {following}")
    cursor = Cursor(data[HEADER.size : -4])
    for _ in range(entries):
        kind, level = {1: "segment", 2: "names"}[cursor.byte()], cursor.byte()
        number, database, table, key = (cursor.varint() for _ in range(4))
        size, rows, first, last = (cursor.varint() for _ in range(4))
        oldest = cursor.zigzag()
        newest = signed(oldest + cursor.zigzag())
        print(
            f"{kind} {number} level {level} database {database} table {table} key {key} size {size} rows {rows} "
            f"series {first} {last} time {oldest} {newest} crc {cursor.u32():08x}"
        )
    assert cursor.at == len(cursor.data)


main()
