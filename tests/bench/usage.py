"""Reads the CPU and memory of each service, descendants included, out of /proc."""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.programs import BenchError

_PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_QUIET_CORES = 0.05
_QUIET_STEP_S = 0.25
_QUIET_DEADLINE_S = 4.0

Roots = Mapping[str, frozenset[int]]


@dataclass(frozen=True)
class _Process:
    parent: int
    cpu_s: float


def _table() -> dict[int, _Process]:
    """Returns every process. The time of children that ended and were waited for counts for their parent."""
    table = {}
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        table[int(entry.name)] = _Process(int(fields[1]), sum(map(int, fields[11:15])) / _TICKS_PER_S)
    return table


def _members(roots: Roots, table: Mapping[int, _Process]) -> dict[int, str]:
    """Maps each process of a service to it: a root, or a descendant whose nearest root is the service's."""
    services = {pid: service for service, pids in roots.items() for pid in pids}
    if gone := services.keys() - table.keys():
        raise BenchError(f"a server process ended: {', '.join(sorted({services[pid] for pid in gone}))}")
    members = {}
    for pid in table:
        ancestor = pid
        while ancestor in table and ancestor not in services:
            ancestor = table[ancestor].parent
        if ancestor in services:
            members[pid] = services[ancestor]
    return members


@dataclass(frozen=True)
class Reading:
    """The CPU that each service has used so far, user and system. A tick is 10 ms a process."""

    at_s: float
    machine_s: float
    by_service: Mapping[str, float]

    def since(self, before: "Reading") -> "Reading":
        """Returns the use between the two readings."""
        by_service = {name: used - before.by_service[name] for name, used in self.by_service.items()}
        return Reading(self.at_s - before.at_s, self.machine_s - before.machine_s, by_service)

    @property
    def servers_s(self) -> float:
        """Returns the seconds of all services together."""
        return sum(self.by_service.values())

    def others_cores(self, generator_s: float) -> float:
        """Returns how many cores everybody else kept busy, including the time stolen by the hypervisor."""
        return max(0.0, (self.machine_s - self.servers_s - generator_s) / self.at_s)


def read(roots: Roots) -> Reading:
    """Returns the CPU used up to now."""
    table = _table()
    used = dict.fromkeys(roots, 0.0)
    for pid, service in _members(roots, table).items():
        used[service] += table[pid].cpu_s
    return Reading(time.monotonic(), _machine_seconds(), used)


def _machine_seconds() -> float:
    """Returns the time in which cores were not idle: user, nice, system, interrupts, stolen."""
    ticks = [int(field) for field in (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:]]
    return sum(ticks[field] for field in (0, 1, 2, 5, 6, 7)) / _TICKS_PER_S


def memory_kib(roots: Roots) -> dict[str, int]:
    """Returns the memory of each service; shared pages are divided among the processes that share them."""
    used = dict.fromkeys(roots, 0)
    for pid, service in _members(roots, _table()).items():
        used[service] += _proportional_kib(pid)
    return used


def _proportional_kib(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


async def quiet(roots: Roots) -> None:
    """Returns when the servers have almost nothing left to do, or after some seconds at the latest."""
    deadline = asyncio.get_running_loop().time() + _QUIET_DEADLINE_S
    before = read(roots)
    while asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(_QUIET_STEP_S)
        now = read(roots)
        if now.since(before).servers_s <= _QUIET_CORES * _QUIET_STEP_S:
            return
        before = now
