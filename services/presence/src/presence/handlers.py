"""Handles presence's operations. A handler only unpacks the request and calls the component in charge."""

from __future__ import annotations

from typing import Any

from messenger_shared.contract.operations import presence
from messenger_shared.contract.operations.internal import reports
from messenger_shared.contract.presence_states import INVISIBLE
from messenger_shared.rpc.messages import Request
from messenger_shared.rpc.server import RequestHandler
from presence.choices import Choices
from presence.ports import Report, Store
from presence.statistics import Statistics
from presence.tracker import Tracker
from presence.visibility import Visibility


class Handlers:
    """One short coroutine per operation."""

    def __init__(
        self, tracker: Tracker, store: Store, choices: Choices, visibility: Visibility, statistics: Statistics
    ) -> None:
        self._tracker = tracker
        self._store = store
        self._choices = choices
        self._visibility = visibility
        self._statistics = statistics

    async def report(self, request: Request) -> dict[str, Any]:
        """Takes a gateway's report. Returns {"known": False} if the gateway must send a full report."""
        return {"known": await self._tracker.report(_report(request))}

    async def leave(self, request: Request) -> dict[str, Any]:
        """Takes note that a gateway worker shuts down."""
        await self._tracker.leave(reports.LEAVE.load(request.body)["gateway"])
        return {}

    async def states(self, request: Request) -> dict[str, Any]:
        """Returns how users are seen, without a check: the gateway knows who may see them."""
        body = reports.STATES.load(request.body)
        version, settled, rows = await self._visibility.states(body["user_ids"], with_seen=body["with_seen"])
        return {"version": version, "settled": settled, "states": rows}

    async def visible_rows(self, request: Request) -> list[dict[str, Any]]:
        """Returns the presence of those users whom the caller may see."""
        return await self._visibility.visible_rows(
            request.user_id, reports.LOOK.load(request.body)["user_ids"]
        )

    async def choose(self, request: Request) -> dict[str, Any]:
        """Stores what the user chose, first in PostgreSQL and then in the store."""
        body = reports.CHOOSE.load(request.body)
        status, visibility = body["status"], body["last_seen_visibility"]
        invisible = None if status is None else status == INVISIBLE
        if visibility is None and await self._is_stored(request.user_id, invisible):
            return {}
        choice = await self._choices.save(request.user_id, invisible, visibility)
        await self._tracker.choose(choice)
        return {}

    async def visible_page(self, request: Request) -> dict[str, Any]:
        """Returns the same as `visible_rows`, as a page for REST."""
        rows = await self._visibility.visible_rows(request.user_id, request.body["user_ids"])
        return {"items": rows, "next_cursor": None}

    async def get(self, request: Request) -> dict[str, Any]:
        """Returns one user's presence."""
        return await self._visibility.get(request.user_id, request.body["user_id"])

    async def online_page(self, request: Request) -> dict[str, Any]:
        """Returns a page of the caller's contacts who are online or away."""
        return await self._visibility.online_page(
            request.user_id, request.body["cursor"], request.body["limit"]
        )

    async def stats(self, request: Request) -> dict[str, Any]:
        """Returns the statistics."""
        return await self._statistics.read()

    async def _is_stored(self, user_id: int, invisible: bool | None) -> bool:
        """Whether the store has this choice already: away and back again needs no write to PostgreSQL."""
        if invisible is None:
            return True
        _, settled, [state] = await self._store.states([user_id])
        return settled and state.invisible == invisible


def handler_table(handlers: Handlers) -> dict[str, RequestHandler]:
    """The handlers of all operations that presence answers, by operation name."""
    return {
        reports.REPORT.name: handlers.report,
        reports.LEAVE.name: handlers.leave,
        reports.STATES.name: handlers.states,
        reports.LOOK.name: handlers.visible_rows,
        reports.CHOOSE.name: handlers.choose,
        presence.ONLINE_LIST.name: handlers.online_page,
        presence.LIST.name: handlers.visible_page,
        presence.GET.name: handlers.get,
        presence.STATS.name: handlers.stats,
    }


def _report(request: Request) -> Report:
    """The report in a request. The request id is its number: it grows, and a repeat has the same one."""
    body = reports.REPORT.load(request.body)
    return Report(
        body["gateway"],
        request.id,
        body["opened"],
        body["away"],
        body["closed"],
        body["full"],
        body["connections"],
    )
