#!/usr/bin/env python3
"""Segments, read a second time: slowly, from docs/format/segment.md, columns.md and keyring.md alone.

usage: decode.py KEYS FILE     prints a line "SERIES TIME VERSION COLUMN=VALUE ..." for each row, NULLs left out, or one
                               line "damaged REASON"

A value is a letter and hexadecimal digits: d, i or t and 16 of the bits of a double, bigint or timestamp, b and 2, v and
two a byte of a varchar. Nothing here is shared with src/magstore and src/seal; unit/magstore/segment_format holds the two
against each other.
"""
import hashlib
import hmac
import os
import struct
import sys

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEADER = struct.Struct("<8sIIQQQ32sII")  # magic version generation database table number id zero crc
FOOTER = struct.Struct("<QQQqqIIIIII8sII")
# offset counter rows time_min time_max bytes blocks first last header_crc directory_crc magic version crc
AAD = struct.Struct("<IIQQQIIQ")  # version kind database table number block column plain
KEYRING = struct.Struct("<8sII")  # magic version keys
KEY = struct.Struct("<QI12s48s")  # scope generation nonce wrapped
HEAD, TIMES, VERSIONS, COLUMN, DIRECTORY = range(5)
DOUBLE, BIGINT, VARCHAR, BOOLEAN, TIMESTAMP = range(1, 6)
MASK = (1 << 64) - 1


class Damaged(Exception):
    pass


def crc_table():
    table = []
    for i in range(256):
        c = i
        for _ in range(8):
            c = (c >> 1) ^ (0x82F63B78 if c & 1 else 0)
        table.append(c)
    return table


TABLE = crc_table()


def crc32c(data):
    c = 0xFFFFFFFF
    for byte in data:
        c = (c >> 8) ^ TABLE[(c ^ byte) & 0xFF]
    return c ^ 0xFFFFFFFF


def signed(bits):
    return bits - (1 << 64) if bits >> 63 else bits


def unzigzag(z):
    return (z >> 1) ^ -(z & 1)


class Bytes:
    """Reads from the front; the end is damage."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if n > len(self.data) - self.at:
            raise Damaged("bytes are missing")
        self.at += n
        return self.data[self.at - n:self.at]

    def byte(self):
        return self.take(1)[0]

    def u64(self):
        return int.from_bytes(self.take(8), "little")

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def run(self):
        """A packed run of bytes."""
        raw, packed = self.varint(), self.varint()
        if packed == 0:
            return self.take(raw)
        out = zstandard.ZstdDecompressor().decompress(self.take(packed), max_output_size=raw)
        if len(out) != raw:
            raise Damaged("a run of another length")
        return out

    def rest(self):
        return self.take(len(self.data) - self.at)

    def done(self):
        return self.at == len(self.data)


def unpack(data, widths):
    """Values of these widths, least significant bit first."""
    everything, at, out = int.from_bytes(data, "little"), 0, []
    for width in widths:
        out.append(everything >> at & ((1 << width) - 1))
        at += width
    return out


def integers(data, n):
    """An integer column, as signed numbers."""
    c = Bytes(data)
    first = c.byte()
    predictor, divided = first & ~16, first & 16
    minimum, divisor = (c.u64(), c.varint()) if divided else (0, 1)
    base = c.u64()
    difference = c.u64() if predictor == 2 else 0
    exceptions, at = {}, 0
    for _ in range(c.varint()):
        at += c.varint()
        exceptions[at] = c.varint()
    width, k = c.byte(), c.byte()
    residuals = unpack(c.take((n * k + 7) // 8), [k] * n)
    if k < width:
        residuals = [low | symbol << k for low, symbol in zip(residuals, c.run())]
    for at, residual in exceptions.items():
        residuals[at] = residual
    values, last = [], base
    for i, residual in enumerate(residuals):
        if predictor == 0:
            last = base + residual
        elif i != 0:
            step = unzigzag(residual) + difference
            difference = step if predictor == 2 else difference
            last += step
        values.append(signed((last * divisor + minimum) & MASK if divided else last & MASK))
    return values


def double_bits(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def doubles(data, n):
    """A double column, as bits."""
    c = Bytes(data)
    exponent = c.byte()
    if exponent == 255:
        return full_doubles(c, n)
    exceptions, at = {}, 0
    for _ in range(c.varint()):
        at += c.varint()
        exceptions[at] = c.u64()
    bits = [double_bits(float(i) / float(10 ** exponent)) for i in integers(c.rest(), n)]
    for at, value in exceptions.items():
        bits[at] = value
    return bits


def effective(top):
    return (top & 0x7FF) or 1


def mantissa(bits):
    top = bits >> 52
    return (bits & ((1 << 52) - 1)) | (1 << 52 if top & 0x7FF else 0)


def predict(before, top):
    least = 1 << 52 if top & 0x7FF else 0
    most = (1 << 53) - 1 if top & 0x7FF else (1 << 52) - 1
    if (before >> 52 ^ top) & 0x800:
        return least
    shift = effective(before >> 52) - effective(top)
    if shift > 10:
        return most
    m = mantissa(before)
    m = m << shift if shift >= 0 else m >> -shift
    return min(max(m, least), most)


def full_doubles(c, n):
    k = c.byte()
    tops = [high << 8 | low for high, low in zip(c.run(), c.run())]
    symbols = c.run()
    largest = max(effective(top) for top in tops)
    widths = [min(54, k + largest - effective(top)) for top in tops]
    out, before = [], 0
    for top, symbol, width, noise in zip(tops, symbols, widths, unpack(c.rest(), widths)):
        m = predict(before, top) + unzigzag(symbol << width | noise)
        before = top << 52 | (m & ((1 << 52) - 1))
        out.append(before)
    return out


def booleans(data, n):
    return unpack(Bytes(data).run(), [1] * n)


def texts(c, n):
    lengths = integers(c.take(c.varint()), n)
    body, at, out = c.run(), 0, []
    for length in lengths:
        out.append(body[at:at + length])
        at += length
    if at != len(body):
        raise Damaged("texts of another length")
    return out


def strings(data, n):
    c = Bytes(data)
    if c.byte() == 0:
        return texts(c, n)
    distinct = c.varint()
    codes = integers(c.take(c.varint()), n)
    dictionary = texts(c, distinct)
    return [dictionary[code] for code in codes]


def read_keyring(path):
    """The data keys as {(scope, generation): key}."""
    with open(os.path.join(path, "master.key"), "rb") as file:
        master = AESGCM(file.read())
    with open(os.path.join(path, "keyring"), "rb") as file:
        data = file.read()
    magic, version, count = KEYRING.unpack_from(data)
    if magic != b"MRKEYRNG" or version not in (1, 2) or crc32c(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise Damaged("keyring")
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


class Segment:
    def __init__(self, data, keys):
        self.data = data
        if len(data) < HEADER.size + FOOTER.size:
            raise Damaged("too short")
        magic, version, generation, self.database, self.table, self.number, ident, zero, crc = HEADER.unpack_from(data)
        if (magic, version, zero) != (b"MRSEGMNT", 1, 0) or crc != crc32c(data[:76]):
            raise Damaged("header")
        if (self.database, generation) not in keys:
            raise Damaged("key %d of database %d is not there" % (generation, self.database))
        self.cipher = AESGCM(file_key(keys[self.database, generation], ident))
        footer = data[-FOOTER.size:]
        (offset, counter, self.rows, self.time_min, self.time_max, size, self.blocks, self.first, self.last, header_crc,
         directory_crc, magic, version, footer_crc) = FOOTER.unpack(footer)
        if (magic, version, header_crc, footer_crc) != (b"MRSEGEND", 1, crc, crc32c(footer[:76])):
            raise Damaged("footer")
        if offset + size != len(data) - FOOTER.size or directory_crc != crc32c(data[offset:offset + size]):
            raise Damaged("directory")
        self.end = offset
        self.directory = Bytes(self.piece(DIRECTORY, 0, 0, counter, offset, size - 20))

    def piece(self, kind, block, column, counter, offset, plain):
        stored = self.data[offset:offset + plain + 20]
        if len(stored) != plain + 20 or int.from_bytes(stored[-4:], "little") != crc32c(stored[:-4]):
            raise Damaged("piece at %d" % offset)
        aad = AAD.pack(1, kind, self.database, self.table, self.number, block, column, plain)
        try:
            return self.cipher.decrypt(struct.pack("<IQ", 0, counter), stored[:-4], aad)
        except InvalidTag:
            raise Damaged("seal of the piece at %d" % offset)

    def read(self):
        """All rows as (series, time, version, {column: (type, value)})."""
        c, offset, counter, last_series, last_time, rows = self.directory, HEADER.size, 0, 0, 0, []
        for block in range(self.blocks):
            first_series = last_series + c.varint()
            last_series = first_series + c.varint()
            count, size, head = c.varint(), c.varint(), c.varint()
            counter += c.varint()
            first_time = signed((last_time + unzigzag(c.varint())) & MASK)
            last_time = signed((first_time + unzigzag(c.varint())) & MASK)
            least = signed((first_time - c.varint()) & MASK)
            greatest = signed((last_time + c.varint()) & MASK)
            found = self.block(block, first_series, count, offset, head, counter)
            times = [row[1] for row in found]
            if (times[0], times[-1], min(times), max(times)) != (first_time, last_time, least, greatest):
                raise Damaged("times of block %d" % block)
            if found[-1][0] != last_series:
                raise Damaged("series of block %d" % block)
            rows += found
            offset += size
        if not c.done() or offset != self.end or len(rows) != self.rows:
            raise Damaged("blocks do not fill the file")
        if (rows[0][0], rows[-1][0]) != (self.first, self.last):
            raise Damaged("series of the footer")
        return rows

    def block(self, block, series, count, offset, head, counter):
        c = Bytes(self.piece(HEAD, block, 0, counter, offset, head - 20))
        runs, owners = Bytes(c.run()), []
        while not runs.done():
            series += runs.varint()
            owners += [series] * runs.varint()
        times, versions, columns = c.varint(), c.varint(), c.varint()
        place, number = [offset + head, counter], 0

        def next_piece(kind, column, plain):
            place[1] += 1
            data = self.piece(kind, block, column, place[1], place[0], plain)
            place[0] += plain + 20
            return data

        time = integers(next_piece(TIMES, 0, times), count)
        version = integers(next_piece(VERSIONS, 0, versions), count) if versions else [1] * count
        rows = [(owners[i], time[i], version[i], {}) for i in range(count)]
        for _ in range(columns):
            number += c.varint()
            flags = c.byte()
            kind, plain = flags & 15, c.varint()
            values = c.varint() if flags & 16 else count
            if kind == VARCHAR:
                c.varint()
            if flags & 32:
                c.take(24 if kind == DOUBLE else 32)
            self.column(rows, number, kind, flags & 16, values, Bytes(next_piece(COLUMN, number, plain)))
        if not c.done():
            raise Damaged("head of block %d" % block)
        return rows

    @staticmethod
    def column(rows, number, kind, nulls, values, c):
        valid = booleans(c.take(c.varint()), len(rows)) if nulls else [1] * len(rows)
        decode = {DOUBLE: doubles, VARCHAR: strings, BOOLEAN: booleans}.get(kind, integers)
        found = iter(decode(c.rest(), values))
        for row, has in zip(rows, valid):
            if has:
                row[3][number] = (kind, next(found))


def show(kind, value):
    if kind == VARCHAR:
        return "v" + value.hex()
    if kind == BOOLEAN:
        return "b%02x" % value
    return "%s%016x" % ("?di??t"[kind], value & MASK)


def main():
    try:
        with open(sys.argv[2], "rb") as file:
            segment = Segment(file.read(), read_keyring(sys.argv[1]))
        for series, time, version, values in segment.read():
            cells = ["%d=%s" % (column, show(*cell)) for column, cell in values.items()]
            print(" ".join(["%d %d %d" % (series, time, version)] + cells))
    except Damaged as reason:
        print("damaged", reason)


main()
