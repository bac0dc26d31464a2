"""Many dashboards at once: clients that ask for one panel after the other over a connection of their own.

One thread and an event loop, so that the client's own threads do not wait for each other. A client thinks for a random time
between two panels; without thinking the load is as much as the server takes.
"""

import asyncio
import random
import time

PANELS = ("single-groupby-1-1-1", "single-groupby-1-8-1", "single-groupby-5-8-1", "cpu-max-all-8", "double-groupby-1",
          "groupby-orderby-limit")


class Answer(asyncio.Protocol):
    """Collects one answer at a time."""

    def __init__(self):
        self.waiting = None

    def connection_made(self, transport):
        self.transport = transport

    def ask(self, request):
        self.got, self.need, self.chunked = bytearray(), None, False
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.waiting

    def data_received(self, data):
        self.got += data
        if self.need is None and not self.chunked:
            end = self.got.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self.got[:end]).lower()
            at = head.find(b"content-length:")
            self.chunked = at < 0
            if at >= 0:
                self.need = end + 4 + int(head[at + 15:].split(b"\r\n", 1)[0])
        if self.got.endswith(b"\r\n0\r\n\r\n") if self.chunked else len(self.got) >= self.need:
            waiting, self.waiting = self.waiting, None
            waiting.set_result((time.perf_counter(), int(self.got[9:12])))

    def connection_lost(self, _):
        if self.waiting is not None:
            self.waiting.set_exception(ConnectionError("the server closed the connection"))


async def client(number, system, cases, until, think, times):
    draw = random.Random(number)
    loop = asyncio.get_running_loop()
    _, answers = await loop.create_connection(Answer, "127.0.0.1", system.port)
    await asyncio.sleep(draw.uniform(0, think))
    while time.perf_counter() < until:
        name = draw.choice(PANELS)
        request = system.prepare(draw.choice(cases[name]))
        request = request[1] if isinstance(request, tuple) else request
        began = time.perf_counter()
        ended, status = await answers.ask(request)
        if status != 200:
            raise RuntimeError(f"{system.name}: HTTP {status} to {name}")
        times[name].append(ended - began)
        await asyncio.sleep(draw.uniform(think / 2, think * 3 / 2))
    answers.transport.close()


def measure(system, cases, count, seconds, think):
    """Latencies in seconds by panel, and answers a second."""
    times = {name: [] for name in PANELS}

    async def all_clients():
        until = time.perf_counter() + seconds
        await asyncio.gather(*(client(i, system, cases, until, think, times) for i in range(count)))

    began = time.perf_counter()
    asyncio.run(all_clients())
    return times, sum(map(len, times.values())) / (time.perf_counter() - began)
