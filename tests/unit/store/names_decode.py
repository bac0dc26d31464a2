#!/usr/bin/env python3
"""Files of names, read a second time from docs/format/names.md, log-entry.md and keyring.md alone.

usage: names_decode.py DIR      prints the columns, measure names and series that the files in DIR hold together

Nothing here is shared with src/; unit/store/names_golden holds the two against each other.
"""
import glob
import hashlib
import hmac
import os
import struct
import sys

import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEADER = struct.Struct("<8sIIQQQ32sII")  # magic version generation database table number id zero crc
FRAME = struct.Struct("<IIII")  # sealed plain last crc
AAD = struct.Struct("<IIQQQQQ")  # version last database table number frame plain
END = struct.Struct("<6IQQ")  # first and end of columns, measures, series; series; frames
KEYRING = struct.Struct("<8sII")  # magic version keys
KEY = struct.Struct("<QI12s48s")  # scope generation nonce wrapped


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def read_keyring(path):
    """The data keys as {(scope, generation): key}."""
    with open(os.path.join(path, "master.key"), "rb") as file:
        master = AESGCM(file.read())
    with open(os.path.join(path, "keyring"), "rb") as file:
        data = file.read()
    magic, version, count = KEYRING.unpack_from(data)
    keys, at = {}, KEYRING.size + (8 if version == 2 else 0)  # keys wrapped by others than the master key are not read
    for _ in range(count):
        scope, generation, nonce, wrapped = KEY.unpack_from(data, at)
        keys[scope, generation] = master.decrypt(nonce, wrapped, struct.pack("<8sIIQ", magic, version, generation, scope))
        at += KEY.size
    return keys


def file_key(data_key, ident):
    """HKDF (RFC 5869) with SHA-256: one block is all that is needed."""
    extracted = hmac.new(ident, data_key, hashlib.sha256).digest()
    return hmac.new(extracted, b"millrace file key" + b"\x01", hashlib.sha256).digest()


class Entry:
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

    def string(self):
        length = self.varint()
        self.at += length
        assert self.at <= len(self.data)
        return self.data[self.at - length : self.at].decode()


class Names:
    """What the files say, together."""

    def __init__(self):
        self.columns, self.measures, self.series, self.next = ["", ""], [], {}, 0

    def add_entry(self, data, database, table):
        entry = Entry(data)
        assert entry.byte() in (1, 2)  # a version of the log entry; they differ in rows alone, and here are none
        assert (entry.byte(), entry.varint(), entry.varint()) == (1, database, table)
        first, count = entry.varint(), entry.varint()
        assert count == 0 or first == len(self.columns)
        for _ in range(count):
            role, kind = entry.byte(), entry.byte()
            self.columns.append(f"role {role} type {kind} {entry.string()}")
        first, count = entry.varint(), entry.varint()
        assert count == 0 or first == len(self.measures)
        for _ in range(count):
            kind = entry.byte()
            self.measures.append(f"type {kind} {entry.string()}")
        following = 0
        for _ in range(entry.varint()):
            number, measure = following + entry.varint(), entry.varint()
            following = number + 1
            dims = "".join(f" {entry.varint()}={entry.string()}" for _ in range(entry.varint()))
            assert number >= self.next and measure < len(self.measures)
            self.series[number], self.next = f"measure {measure}{dims}", following
        assert entry.varint() == 0 and entry.at == len(data)  # no rows

    def add_file(self, data, name, keys):
        magic, version, generation, database, table, number, ident, zero, crc = HEADER.unpack_from(data)
        assert (magic, version, zero) == (b"MRTNAMES", 1, 0) and crc == crc32c(data[:76])
        assert name == f"names-{number:016x}.mrn"
        cipher = AESGCM(file_key(keys[database, generation], ident))
        start = [len(self.columns), len(self.measures)]
        at, frame, before = HEADER.size, 0, len(self.series)
        while True:
            sealed, plain, last, crc = FRAME.unpack_from(data, at)
            body = data[at + FRAME.size : at + FRAME.size + sealed]
            assert len(body) == sealed and crc == crc32c(data[at : at + 12] + body)
            aad = AAD.pack(version, last, database, table, number, frame, plain)
            opened = cipher.decrypt(struct.pack("<IQ", 0, frame), body, aad)
            at += FRAME.size + sealed
            if last:
                break
            entry = zstandard.ZstdDecompressor().decompress(opened, max_output_size=plain)
            assert len(entry) == plain
            self.add_entry(entry, database, table)
            frame += 1
        end = END.unpack(opened)
        assert at == len(data) and plain == END.size
        assert end[0:4] == (start[0], len(self.columns), start[1], len(self.measures))
        assert self.next <= end[5] and end[6:8] == (len(self.series) - before, frame)
        self.next = end[5]

    def show(self):
        for number, text in enumerate(self.columns[2:], 2):
            print(f"column {number} {text}")
        for number, text in enumerate(self.measures):
            print(f"measure {number} {text}")
        for number, text in self.series.items():
            print(f"series {number} {text}")
        print(f"next {self.next}")


def main():
    keys, names = read_keyring(sys.argv[1]), Names()
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "names-*.mrn"))):
        with open(path, "rb") as file:
            names.add_file(file.read(), os.path.basename(path), keys)
    names.show()


main()
