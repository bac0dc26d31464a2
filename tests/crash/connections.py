#!/usr/bin/env python3
"""Many connections: idle ones cost little, slow ones are ended, and everybody else is served as before.

Idle connections have asked once. Half of the slow ones send a head byte by byte, half a body; the server must end each of
them (10 s for a head, 1 KiB/s for a body) while another client goes on asking. Prints the memory of an idle connection and
the latencies of that client before, with the idle and with the slow ones; times are for reading, only what was answered
and what was ended is judged, and the memory against a generous bound.

    connections.py --binary build/millrace [--idle 1000] [--slow 200]
"""

import argparse
import http.client
import os
import resource
import socket
import statistics
import sys
import time

import kill
from kill import harness

BOUND_KIB = 64
ASKED = 500
ENDS_S = 40


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def ask(connection):
    connection.request("GET", "/health")
    answer = connection.getresponse()
    answer.read()
    return answer.status


def latencies(port, wrong, when):
    connection, times = http.client.HTTPConnection("127.0.0.1", port, timeout=30), []
    for _ in range(ASKED):
        began = time.perf_counter()
        if ask(connection) != 200:
            wrong.append(f"not served {when}")
            break
        times.append((time.perf_counter() - began) * 1000)
    connection.close()
    return f"p50 {statistics.median(times):.2f} ms, p99 {statistics.quantiles(times, n=100)[98]:.2f} ms"


def open_idle(port, count):
    opened = []
    for _ in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        if ask(connection) == 200:
            opened.append(connection)
    return opened


class Slow:
    HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"y" * 100
    BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"

    def __init__(self, port, body):
        self.socket, self.ended = socket.create_connection(("127.0.0.1", port), timeout=30), False
        self.text, self.at = self.HEAD, 1
        self.socket.sendall(self.BODY if body else self.HEAD[:1])
        self.socket.setblocking(False)

    def step(self):
        """One more byte; notices when the server has ended it."""
        if self.ended:
            return
        try:
            self.socket.send(self.text[self.at % len(self.text):][:1])
            self.at += 1
            self.ended = self.socket.recv(4096) == b""
        except BlockingIOError:
            return
        except OSError:
            self.ended = True


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--idle", type=int, default=1000)
    options.add_argument("--slow", type=int, default=200)
    o = options.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    harness.BINARY = os.path.abspath(o.binary)
    wrong = []
    server = harness.Server(f"--max-connections={o.idle + o.slow + 50}", "--idle-seconds=600")
    try:
        alone = latencies(server.port, wrong, "alone")
        before = resident_kib(server.process.pid)
        idle = open_idle(server.port, o.idle)
        each = (resident_kib(server.process.pid) - before) / max(1, len(idle))
        beside_idle = latencies(server.port, wrong, "beside idle connections")
        slow = [Slow(server.port, i % 2 == 0) for i in range(o.slow)]
        beside_slow = latencies(server.port, wrong, "beside slow connections")
        deadline = time.monotonic() + ENDS_S
        while not all(s.ended for s in slow) and time.monotonic() < deadline:
            for s in slow:
                s.step()
            time.sleep(0.5)  # how slow they are
        ended = sum(s.ended for s in slow)
        served = sum(ask(c) == 200 for c in idle[::max(1, len(idle) // 100)])
        for connection in idle:
            connection.close()
        latencies(server.port, wrong, "afterwards")
    finally:
        server.stop()
    print(f"{len(idle)} idle connections, {each:.1f} KiB each; {ended} of {o.slow} slow ones ended")
    print(f"another client alone: {alone}; beside the idle: {beside_idle}; beside both: {beside_slow}")
    wrong += ["idle connections were refused"] * (len(idle) < o.idle)
    wrong += ["slow connections live on"] * (ended < o.slow)
    wrong += ["idle connections were ended"] * (served < len(idle[::max(1, len(idle) // 100)]))
    wrong += ["an idle connection costs too much"] * (each > BOUND_KIB)
    sys.exit("; ".join(wrong) or 0)


if __name__ == "__main__":
    main()
