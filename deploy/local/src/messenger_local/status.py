"""Writes and reads the status file: the supervisor writes it, the other commands read it."""

import contextlib
import json
import os
from typing import Any

from messenger_local import procfs
from messenger_local.datadir import DataDir, write_private
from messenger_local.failure import StackError
from messenger_local.services import SERVICES


def write_status(data: DataDir, *, url: str, database_url: str, redis_url: str, pids: dict[str, int]) -> None:
    """Writes that this process supervises a stack, with its addresses and pids. Raises StackError."""
    supervisor = procfs.read(os.getpid())
    body = {
        # After a crash another process may have this pid; the start time tells them apart.
        "lead": {"pid": os.getpid(), "start_ticks": supervisor.start_ticks if supervisor else 0},
        "url": url,
        "database_url": database_url,
        "redis_url": redis_url,
        "pids": pids,
    }
    write_private(data.status, json.dumps(body, indent=1) + "\n")


def clear_status(data: DataDir) -> None:
    """Removes the status file: no stack runs."""
    data.status.unlink(missing_ok=True)


def read_status(data: DataDir) -> dict[str, Any]:
    """The running stack's addresses and current processes. Raises StackError if no stack runs."""
    try:
        body: dict[str, Any] = json.loads(data.status.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StackError(f"no stack is running on {data.root}") from None
    except (OSError, ValueError) as error:
        raise StackError(f"cannot read {data.status}: {error}") from error
    supervisor = procfs.read(body["lead"]["pid"])
    if supervisor is None or not supervisor.is_alive or supervisor.start_ticks != body["lead"]["start_ticks"]:
        raise StackError(f"no stack is running on {data.root}")
    return {
        "url": body["url"],
        "database_url": body["database_url"],
        "redis_url": body["redis_url"],
        "processes": [row for service, pid in body["pids"].items() for row in _rows(service, pid)],
    }


def _rows(service: str, pid: int) -> list[dict[str, Any]]:
    """A row for the service's process and for each gunicorn worker; leaves out processes that just ended."""
    rows = []
    with contextlib.suppress(OSError):
        process = procfs.read(pid)
        if process is None or not process.is_alive:
            return []
        role = "master" if service in SERVICES else "server"
        rows.append({"service": service, "role": role, "pid": pid})
        if role == "master":
            workers = [child.pid for child in procfs.children(pid) if child.is_alive]
            rows += [{"service": service, "role": "worker", "pid": worker} for worker in workers]
    return rows
