"""Finds the worker process that holds a socket, so that tests can place their sockets."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.client import Socket, User
from tests.waiting import eventually

_ESTABLISHED = "01"
_AT_ONCE = 4


def workers(status: dict[str, Any], service: str) -> list[int]:
    """Returns the pids of one service's workers, from the output of `messenger status --json`."""
    rows = status["processes"]
    return [row["pid"] for row in rows if (row["service"], row["role"]) == (service, "worker")]


def worker_of(socket: Socket, pids: list[int]) -> int:
    """Returns which of the processes `pids` holds the other end of `socket`."""
    return holder_of(socket.ports, pids)


def holder_of(ports: tuple[int, int], pids: list[int]) -> int:
    """Returns which of the processes `pids` holds the other end of a connection: local
    port, server's port.
    """
    wanted = f"socket:[{_inode_at_server(ports)}]"
    for pid in pids:
        if wanted in _open_files(pid):
            return pid
    raise AssertionError(f"none of {pids} holds {wanted}")


async def connect_apart(user: User, pids: list[int]) -> list[Socket]:
    """Opens a socket of `user` on each of the workers `pids`; returns them in that order."""
    found: dict[int, Socket] = {}

    async def are_apart() -> bool:
        # All at once: one by one, a single idle worker would accept them all.
        sockets = await asyncio.gather(*(user.connect() for _ in range(_AT_ONCE)))
        for socket in sockets:
            if found.setdefault(worker_of(socket, pids), socket) is not socket:
                await socket.close()
        return len(found) == len(pids)

    # A worker that has just been started serves nobody yet.
    await eventually(are_apart)
    return [found[pid] for pid in pids]


async def connect_at(user: User, pid: int, pids: list[int]) -> Socket:
    """Opens a socket of `user` on the worker `pid`, and none on the others."""
    sockets = await connect_apart(user, pids)
    for other, socket in zip(pids, sockets, strict=True):
        if other != pid:
            await socket.close()
    return sockets[pids.index(pid)]


def _inode_at_server(ports: tuple[int, int]) -> str:
    """Returns the inode of the other end of an open connection."""
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
