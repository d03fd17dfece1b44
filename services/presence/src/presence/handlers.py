"""Owns which handler answers which operation; each only unpacks the request and asks whom it concerns."""

from __future__ import annotations

from typing import Any

from messenger_shared.operations import presence, reports, stats
from messenger_shared.presences import INVISIBLE
from messenger_shared.rpc import Request
from messenger_shared.rpc_server import RequestHandler
from presence.choices import Choices
from presence.figures import Figures
from presence.ports import Report, Store
from presence.tracker import Tracker
from presence.views import Views


class Handlers:
    """A short coroutine per operation."""

    def __init__(
        self, tracker: Tracker, store: Store, choices: Choices, views: Views, figures: Figures
    ) -> None:
        self._tracker = tracker
        self._store = store
        self._choices = choices
        self._views = views
        self._figures = figures

    async def report(self, request: Request) -> dict[str, Any]:
        """Whether the gateway's earlier reports are known too."""
        return {"known": await self._tracker.report(_report(request))}

    async def leave(self, request: Request) -> dict[str, Any]:
        """A gateway ends."""
        await self._tracker.leave(reports.LEAVE.load(request.body)["gateway"])
        return {}

    async def states(self, request: Request) -> dict[str, Any]:
        """How users are seen, for a gateway that knows who may see them."""
        body = reports.STATES.load(request.body)
        version, settled, rows = await self._views.states(body["user_ids"], with_seen=body["with_seen"])
        return {"version": version, "settled": settled, "states": rows}

    async def look(self, request: Request) -> list[dict[str, Any]]:
        """How people are whom the caller may see."""
        return await self._views.look(request.user_id, reports.LOOK.load(request.body)["user_ids"])

    async def choose(self, request: Request) -> dict[str, Any]:
        """Keeps what the user chose, first where it lasts."""
        body = reports.CHOOSE.load(request.body)
        status, visibility = body["status"], body["last_seen_visibility"]
        invisible = None if status is None else status == INVISIBLE
        if visibility is None and await self._is(request.user_id, invisible):
            return {}
        choice = await self._choices.keep(request.user_id, invisible, visibility)
        await self._tracker.choose(choice)
        return {}

    async def listed(self, request: Request) -> dict[str, Any]:
        """The same over REST."""
        rows = await self._views.look(request.user_id, request.body["user_ids"])
        return {"items": rows, "next_cursor": None}

    async def one(self, request: Request) -> dict[str, Any]:
        """How somebody is."""
        return await self._views.one(request.user_id, request.body["user_id"])

    async def online(self, request: Request) -> dict[str, Any]:
        """A page of who is there."""
        return await self._views.online(request.user_id, request.body["cursor"], request.body["limit"])

    async def stats(self, request: Request) -> dict[str, Any]:
        """How much is going on."""
        return await self._figures.read()

    async def _is(self, user_id: int, invisible: bool | None) -> bool:
        """Whether that is known of the user: going away and coming back is no choice that has to be kept."""
        if invisible is None:
            return True
        _, settled, [state] = await self._store.states([user_id])
        return settled and state.invisible == invisible


def handler_table(handlers: Handlers) -> dict[str, RequestHandler]:
    """Every operation that presence answers, by name."""
    return {
        reports.REPORT.name: handlers.report,
        reports.LEAVE.name: handlers.leave,
        reports.STATES.name: handlers.states,
        reports.LOOK.name: handlers.look,
        reports.CHOOSE.name: handlers.choose,
        presence.ONLINE_LIST.name: handlers.online,
        presence.LIST.name: handlers.listed,
        presence.GET.name: handlers.one,
        stats.STATS.name: handlers.stats,
    }


def _report(request: Request) -> Report:
    """A request's id numbers the report: a caller counts its requests up and repeats one under its id."""
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
