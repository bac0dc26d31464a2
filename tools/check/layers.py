#!/usr/bin/env python3
"""Holds the include ladder: a room includes itself and rooms on lower rungs, nothing else.

The ladder is the one of docs/architecture.md. Exit status 1 and one line per violation.
"""
import pathlib
import re
import sys

# Room -> rooms it may include besides itself and base.
LADDER = {
    "base": [],
    "json": [],
    "http": [],
    "auth": [],
    "model": ["json"],
    "policy": ["json"],
    "remote": ["auth"],
    "kms": ["json", "remote"],
    "reports": ["json", "remote"],
    "seal": [],
    "wal": ["seal"],
    "memstore": [],
    "magstore": ["seal"],
    "sql": [],
    "store": ["seal", "wal", "memstore", "magstore"],
    "catalog": [],
    "care": ["seal", "wal", "memstore", "magstore", "store", "catalog"],
    "backup": ["seal", "wal", "magstore", "remote"],
    "ingest": ["json", "model", "store", "catalog"],
    "engine": ["json", "sql", "store"],
    "query": ["json", "model", "auth", "sql", "store", "catalog", "engine"],
    "api": ["json", "model", "auth", "policy", "sql", "store", "catalog", "ingest", "engine", "query"],
    "server": ["json", "http", "auth", "policy", "remote", "kms", "reports", "model", "seal", "wal", "magstore", "sql", "store", "catalog", "ingest", "engine", "query", "api",
               "care", "backup", "cli"],  # main.c alone: the binary has both
}
# The only room that may see each of these outside headers.
OWNERS = {
    "duckdb.h": "engine",
    "microhttpd.h": "http",
    "sqlite3.h": "catalog",
    "simdjson.h": "json",
    "zstd.h": "magstore",
    "curl.h": "remote",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def main():
    root = pathlib.Path(__file__).resolve().parents[2] / "src"
    bad = 0
    for path in sorted(root.rglob("*")):
        if path.suffix not in (".c", ".h", ".cc", ".def"):
            continue
        room = path.relative_to(root).parts[0]
        if room not in LADDER:
            print(f"{path.relative_to(root)}: room '{room}' is not on the ladder")
            bad += 1
            continue
        allowed = {"base", room, *LADDER[room]}
        for kind, name in INCLUDE.findall(path.read_text()):
            owner = OWNERS.get(pathlib.PurePath(name).name)
            if kind == '"' and name.split("/")[0] not in allowed:
                print(f"{path.relative_to(root)}: {room} may not include {name}")
                bad += 1
            if owner is not None and owner != room:
                print(f"{path.relative_to(root)}: only {owner} may include {name}")
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
