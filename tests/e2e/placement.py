"""Owns telling which worker process holds a socket, so that tests have their sockets where they need them."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.client import Person, Socket

_ESTABLISHED = "01"
_AT_ONCE = 4
_TRIES = 20


def workers(status: dict[str, Any], service: str) -> list[int]:
    """The pids of one service's workers, from what `messenger status --json` says."""
    rows = status["processes"]
    return [row["pid"] for row in rows if (row["service"], row["role"]) == (service, "worker")]


def worker_of(socket: Socket, pids: list[int]) -> int:
    """Which of the processes `pids` holds the other end of `socket`."""
    return holder_of(socket.ports, pids)


def holder_of(ports: tuple[int, int], pids: list[int]) -> int:
    """Which of the processes `pids` holds the other end of a connection: our port and the server's."""
    wanted = f"socket:[{_inode_at_server(ports)}]"
    for pid in pids:
        if wanted in _open_files(pid):
            return pid
    raise AssertionError(f"none of {pids} holds {wanted}")


async def connect_apart(person: Person, pids: list[int]) -> list[Socket]:
    """A socket of `person` on each of the workers `pids`, in their order."""
    found: dict[int, Socket] = {}
    for _ in range(_TRIES):
        # At once, since one idle worker would accept them all if they came one by one.
        sockets = await asyncio.gather(*(person.connect() for _ in range(_AT_ONCE)))
        for socket in sockets:
            if found.setdefault(worker_of(socket, pids), socket) is not socket:
                await socket.close()
        if len(found) == len(pids):
            return [found[pid] for pid in pids]
    raise AssertionError(f"no socket on {set(pids) - set(found)}")


async def connect_at(person: Person, pid: int, pids: list[int]) -> Socket:
    """A socket of `person` on the worker `pid`, and none on the others."""
    sockets = await connect_apart(person, pids)
    for other, socket in zip(pids, sockets, strict=True):
        if other != pid:
            await socket.close()
    return sockets[pids.index(pid)]


def _inode_at_server(ports: tuple[int, int]) -> str:
    """The inode of the other end of an open connection."""
    ours, theirs = (f"{port:04X}" for port in ports)
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, peer, state, *rest = line.split()
        if state == _ESTABLISHED and local.endswith(f":{theirs}") and peer.endswith(f":{ours}"):
            return rest[5]
    raise AssertionError(f"no server holds the connection {ports}")


def _open_files(pid: int) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.add(os.readlink(link))
    return found
