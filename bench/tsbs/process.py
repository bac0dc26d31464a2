"""Processes that the bench starts, what they cost, and what lies on disk."""

import os
import shutil
import signal
import socket
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, process, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{process.args[0]} does not listen on {port}")


def stat_of(pid):
    """Parent, and CPU seconds of children that have ended, in steps of a clock tick."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        fields = f.read().rpartition(")")[2].split()
    return int(fields[1]), sum(int(x) for x in fields[13:15]) / TICK


def clock_of(pid):
    """CPU seconds of a process, threads that have ended included, exact: what clock_getcpuclockid() names."""
    return time.clock_gettime(~pid << 3 | 2)


def cpu_seconds(pid):
    """Of a process and all its descendants."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            parents[int(name)] = stat_of(name)
        except (FileNotFoundError, ProcessLookupError):
            continue
    total, wave = 0.0, {pid}
    while wave:
        for member in wave:
            try:
                total += parents[member][1] + clock_of(member)
            except (KeyError, OSError):
                continue
        wave = {p for p, (parent, _) in parents.items() if parent in wave}
    return total


def busy_seconds():
    """Processor time that everything on this machine has used."""
    with open("/proc/stat", encoding="ascii") as f:
        user, nice, system, _, _, irq, softirq, *rest = map(int, f.readline().split()[1:])
    return (user + nice + system + irq + softirq + (rest[0] if rest else 0)) / TICK


def memory_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        for line in f:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return 0.0


def bytes_below(path):
    """Blocks that files below path occupy."""
    total = 0
    for root, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return total


class Process:
    """One server with a data directory of its own; ended by its pid."""

    def __init__(self, command, directory, env=None, port=None, log="log"):
        self.directory = directory
        with open(os.path.join(directory, log), "ab") as out:
            self.popen = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **(env or {})}, cwd=directory)
        self.pid = self.popen.pid
        if port:
            try:
                wait_for_port(port, self.popen)
            except RuntimeError:
                self.end()
                raise

    def end(self, how=signal.SIGTERM):
        if self.popen.poll() is None:
            self.popen.send_signal(how)
        try:
            self.popen.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()


def remove(path):
    shutil.rmtree(path, ignore_errors=True)
