#!/usr/bin/env python3
"""The log, read a second time: slowly, in one piece, from docs/format/wal.md and docs/format/keyring.md alone.

usage: decode.py KEYS DIR      prints "entry LSN HEX" for each entry and "ok NEXT_LSN DURABLE_LSN" at the end,
                               or one line "damaged REASON"

Nothing here is shared with src/wal and src/seal; unit/wal/format holds the two against each other. The cipher is that
of python3-cryptography, HKDF is written out.
"""
import hashlib
import hmac
import os
import re
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SECTOR = 4096
SEGMENT = struct.Struct("<8sIIQQQ32sII")  # magic version sector bytes sequence first_lsn id generation crc
FRAME = struct.Struct("<4sHHIIQQ32sQQII")
# magic header zero payload entries first durable id offset counter payload_crc crc
KEYRING = struct.Struct("<8sII")  # magic version keys
NAMED = struct.Struct("<QIHHHHI")
KEY = struct.Struct("<QI12s48s")  # scope generation nonce wrapped
TAG = 16
LOG_SCOPE = 0


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


def read_keyring(path):
    """The data keys as {(scope, generation): key}."""
    with open(os.path.join(path, "master.key"), "rb") as file:
        master = AESGCM(file.read())
    with open(os.path.join(path, "keyring"), "rb") as file:
        data = file.read()
    magic, version, count = KEYRING.unpack_from(data)
    at, named, named_bytes = KEYRING.size, 0, 0
    if version == 2:
        named, named_bytes = struct.unpack_from("<II", data, at)
        at += 8
    if magic != b"MRKEYRNG" or version not in (1, 2) or crc32c(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise Damaged("keyring")
    keys = {}
    for _ in range(count):
        scope, generation, nonce, wrapped = KEY.unpack_from(data, at)
        place = struct.pack("<8sIIQ", magic, version, generation, scope)
        keys[scope, generation] = master.decrypt(nonce, wrapped, place)
        at += KEY.size
    for _ in range(named):
        scope, generation, kind, *lengths, zero = NAMED.unpack_from(data, at)
        at += NAMED.size
        name, binding, wrapped = (data[at + sum(lengths[:i]):at + sum(lengths[:i + 1])] for i in range(3))
        at += sum(lengths)
        if kind == 1 and zero == 0 and not binding:  # the others are wrapped by a key that is not here
            with open(os.path.join(path, name.decode() + ".key"), "rb") as file:
                local = AESGCM(file.read())
            place = struct.pack("<8sIIQ", magic, version, generation, scope) + name
            keys[scope, generation] = local.decrypt(wrapped[:12], wrapped[12:], place)
    master.decrypt(data[at:at + 12], data[at + 12:at + 28], data[:at])  # nothing is sealed there: the tag is what counts
    if at + 32 != len(data):
        raise Damaged("keyring")
    return keys


def file_key(data_key, ident):
    """HKDF (RFC 5869) with SHA-256: one block is all that is needed."""
    extracted = hmac.new(ident, data_key, hashlib.sha256).digest()
    return hmac.new(extracted, b"millrace file key" + b"\x01", hashlib.sha256).digest()


class Segment:
    def __init__(self, sequence, data, keys):
        self.sequence, self.data = sequence, data
        if len(data) < SEGMENT.size:
            raise Damaged("segment %d is shorter than its header" % sequence)
        magic, version, sector, self.bytes, named, self.first_lsn, self.id, generation, crc = (
            SEGMENT.unpack_from(data))
        if (magic, version, sector, named) != (b"MRWALSEG", 2, SECTOR, sequence) or generation == 0:
            raise Damaged("segment %d has no header of ours" % sequence)
        if crc != crc32c(data[:76]):
            raise Damaged("segment %d: header checksum" % sequence)
        if self.first_lsn == 0 or self.bytes % SECTOR or self.bytes < 2 * SECTOR:
            raise Damaged("segment %d: header fields" % sequence)
        if (LOG_SCOPE, generation) not in keys:
            raise Damaged("segment %d: key %d is not there" % (sequence, generation))
        self.cipher = AESGCM(file_key(keys[LOG_SCOPE, generation], self.id))

    def frame(self, offset):
        """The frame at an offset as (first_lsn, durable_lsn, entries, bytes taken), or None."""
        if offset + FRAME.size > len(self.data):
            return None
        head = self.data[offset:offset + FRAME.size]
        magic, size, zero, payload, count, first, durable, ident, where, counter, payload_crc, crc = FRAME.unpack(head)
        if (magic, size, zero, ident, where) != (b"MRWF", FRAME.size, 0, self.id, offset):
            return None
        if crc != crc32c(head[:84]):
            return None
        taken = -(-(FRAME.size + payload + TAG) // SECTOR) * SECTOR
        if offset + taken > len(self.data) or first == 0 or durable >= first:
            return None
        sealed = self.data[offset + FRAME.size:offset + FRAME.size + payload + TAG]
        if payload_crc != crc32c(sealed):
            return None
        try:
            body = self.cipher.decrypt(struct.pack("<IQ", 0, counter), sealed, self.data[:76] + head[:80])
        except InvalidTag:
            raise Damaged("segment %d offset %d: seal" % (self.sequence, offset))
        return first, durable, self.entries(body, count, offset), taken

    def entries(self, body, count, offset):
        found, at = [], 0
        for _ in range(count):
            length, shift = 0, 0
            while True:
                if at >= len(body) or shift > 63:
                    raise Damaged("segment %d offset %d: entries" % (self.sequence, offset))
                byte = body[at]
                at += 1
                length |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            if at + length > len(body):
                raise Damaged("segment %d offset %d: entries" % (self.sequence, offset))
            found.append(body[at:at + length])
            at += length
        if at != len(body):
            raise Damaged("segment %d offset %d: entries" % (self.sequence, offset))
        return found


def read_segments(path, keys):
    segments = []
    for name in sorted(os.listdir(path)):
        if re.fullmatch(r"wal-[0-9a-f]{16}\.log", name):
            with open(os.path.join(path, name), "rb") as file:
                segments.append(Segment(int(name[4:20], 16), file.read(), keys))
    for older, newer in zip(segments, segments[1:]):
        if newer.first_lsn < older.first_lsn:
            raise Damaged("segment %d begins below the one before" % newer.sequence)
    if segments and len(segments[-1].data) != segments[-1].bytes:
        raise Damaged("the newest segment is not as long as it was made")
    return segments


def recover(segments):
    """All entries in order, the next LSN and the highest mark."""
    entries = []
    lsn = segments[0].first_lsn if segments else 1
    durable = lsn - 1
    for i, segment in enumerate(segments):
        if lsn != segment.first_lsn:
            raise Damaged("LSN %d is missing before segment %d" % (lsn, segment.sequence))
        durable = max(durable, segment.first_lsn - 1)
        newest = i + 1 == len(segments)
        limit = None if newest else segments[i + 1].first_lsn
        offset = SECTOR
        while newest or lsn < limit:
            frame = segment.frame(offset)
            if frame is None or frame[0] != lsn:
                break
            if limit is not None and lsn + len(frame[2]) > limit:
                raise Damaged("segment %d offset %d: beyond the next segment" % (segment.sequence, offset))
            durable = max(durable, frame[1])
            entries += [(lsn + k, entry) for k, entry in enumerate(frame[2])]
            lsn += len(frame[2])
            offset += frame[3]
        if not newest and lsn < limit:
            raise Damaged("segment %d offset %d: LSN %d is missing" % (segment.sequence, offset, lsn))
        if newest:
            for behind in range(offset, len(segment.data), SECTOR):
                frame = segment.frame(behind)
                if frame is not None:
                    durable = max(durable, frame[1])
            if lsn <= durable:
                raise Damaged("segment %d offset %d: LSN %d was acknowledged" % (segment.sequence, offset, durable))
    return entries, lsn, durable


def main():
    try:
        entries, lsn, durable = recover(read_segments(sys.argv[2], read_keyring(sys.argv[1])))
    except Damaged as reason:
        print("damaged", reason)
        return
    for number, entry in entries:
        print("entry", number, entry.hex())
    print("ok", lsn, durable)


if __name__ == "__main__":
    main()
