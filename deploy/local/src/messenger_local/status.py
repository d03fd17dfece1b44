"""Owns what a running stack says about itself: written by the lead, read by the other commands."""

import contextlib
import json
import os
from typing import Any

from messenger_local import procfs
from messenger_local.datadir import DataDir, write_private
from messenger_local.failure import StackError

_GUNICORN = ("gateway", "chat-api", "presence")


def write_status(data: DataDir, *, url: str, database_url: str, redis_url: str, pids: dict[str, int]) -> None:
    """Says that this process leads a stack, and where and as which processes it runs."""
    lead = procfs.read(os.getpid())
    body = {
        # A pid alone may be somebody else's after a crash.
        "lead": {"pid": os.getpid(), "start_ticks": lead.start_ticks if lead else 0},
        "url": url,
        "database_url": database_url,
        "redis_url": redis_url,
        "pids": pids,
    }
    write_private(data.status, json.dumps(body, indent=1) + "\n")


def clear_status(data: DataDir) -> None:
    """Says that no stack runs."""
    data.status.unlink(missing_ok=True)


def read_status(data: DataDir) -> dict[str, Any]:
    """The running stack's addresses and its processes of this moment; StackError if none runs."""
    try:
        body: dict[str, Any] = json.loads(data.status.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StackError(f"no stack is running on {data.root}") from None
    except (OSError, ValueError) as error:
        raise StackError(f"cannot read {data.status}: {error}") from error
    lead = procfs.read(body["lead"]["pid"])
    if lead is None or not lead.alive or lead.start_ticks != body["lead"]["start_ticks"]:
        raise StackError(f"no stack is running on {data.root}")
    return {
        "url": body["url"],
        "database_url": body["database_url"],
        "redis_url": body["redis_url"],
        "processes": [row for service, pid in body["pids"].items() for row in _rows(service, pid)],
    }


def _rows(service: str, pid: int) -> list[dict[str, Any]]:
    """The process of a service and, behind gunicorn, its workers; what has just ended is left out."""
    rows = []
    with contextlib.suppress(OSError):
        process = procfs.read(pid)
        if process is None or not process.alive:
            return []
        role = "master" if service in _GUNICORN else "server"
        rows.append({"service": service, "role": role, "pid": pid})
        if role == "master":
            workers = [child.pid for child in procfs.children(pid) if child.alive]
            rows += [{"service": service, "role": "worker", "pid": worker} for worker in workers]
    return rows
