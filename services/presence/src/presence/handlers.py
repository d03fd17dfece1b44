"""Owns which handler answers which operation; each only unpacks the request and asks the tracker."""

from __future__ import annotations

from typing import Any

from messenger_shared.operations.presence import LEAVE, ONLINE, REPORT
from messenger_shared.rpc import Request
from messenger_shared.rpc_server import RequestHandler
from presence.ports import Report
from presence.tracker import Tracker


def handler_table(tracker: Tracker) -> dict[str, RequestHandler]:
    """Every operation that presence answers, by name."""

    async def report(request: Request) -> dict[str, Any]:
        return {"known": await tracker.report(_report(request))}

    async def leave(request: Request) -> dict[str, Any]:
        await tracker.leave(LEAVE.load(request.body)["gateway"])
        return {}

    async def online(request: Request) -> dict[str, Any]:
        return {"user_ids": await tracker.online(ONLINE.load(request.body)["user_ids"])}

    return {REPORT.name: report, LEAVE.name: leave, ONLINE.name: online}


def _report(request: Request) -> Report:
    """A request's id numbers the report: a caller counts its requests up and repeats one under its id."""
    body = REPORT.load(request.body)
    return Report(body["gateway"], request.id, body["opened"], body["closed"], body["full"])
