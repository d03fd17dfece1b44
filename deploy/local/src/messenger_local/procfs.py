"""Reads the process table from /proc. It works on Linux alone and caches nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """One row of the process table."""

    pid: int
    name: str
    state: str
    parent: int
    start_ticks: int

    @property
    def is_alive(self) -> bool:
        """False for a zombie: it has a pid, but it neither runs nor holds anything."""
        return self.state not in "ZX"


def read(pid: int) -> Process | None:
    """The process `pid`, or None if there is none."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name is in brackets and may itself hold brackets and spaces.
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    return Process(pid, head.partition("(")[2], fields[0], int(fields[1]), int(fields[19]))


def all_processes() -> Iterator[Process]:
    """Yields all processes that this one can see."""
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (process := read(int(entry.name))) is not None:
            yield process


def children(pid: int) -> list[Process]:
    """The direct children of `pid`, including zombies."""
    return [process for process in all_processes() if process.parent == pid]


def working_in(directory: Path, name: str) -> list[Process]:
    """The living processes called `name` whose working directory is `directory`."""
    return [p for p in all_processes() if p.is_alive and p.name == name and _cwd(p.pid) == directory]


def _cwd(pid: int) -> Path | None:
    try:
        return (_PROC / str(pid) / "cwd").readlink()
    except OSError:
        return None
