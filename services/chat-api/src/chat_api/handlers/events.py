"""Handles the reading of events of all conversations by a host application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from chat_api.event_ports import ChangeStore, EventLog, LogRow
from chat_api.webhooks.bodies import body_of, event_id
from messenger_shared.contract import cursors, errors, timestamps
from messenger_shared.contract.errors import AppError
from messenger_shared.rpc.messages import Request

_LIST: Final = "events"
# Changes of each kind that are read at once, of one conversation.
_CHANGES_MAX: Final = 25
# Pages of the log that one request reads, if nothing is left to tell of them.
_PAGES: Final = 5


class _Place(NamedTuple):
    """All rows below `number` are told, and of that row the changes up to `pos`."""

    number: int
    pos: int = 0


class _Plan(NamedTuple):
    """Rows to be told: after which pos their conversations are read, and how many changes of each kind."""

    rows: Sequence[LogRow]
    positions: dict[str, int]
    changes: int


class EventHandlers:
    """Reading events in the order in which the feed noticed them."""

    def __init__(self, log: EventLog, changes: ChangeStore) -> None:
        self._log = log
        self._changes = changes

    async def read(self, request: Request) -> Any:
        """Returns the events after a cursor, or all that are kept. Raises AppError(cursor_expired)."""
        limit = request.body["limit"]
        place = await self._start(request.body["cursor"])
        items: list[dict[str, Any]] = []
        for _ in range(_PAGES):
            rows = await self._log.page(place.number, limit)
            place = await self._tell(rows, place, items, limit)
            has_more = bool(rows) and (place.number <= rows[-1].number or len(rows) == limit)
            if len(items) == limit or not has_more:
                break
        return {"items": items, "next_cursor": cursors.encode(_LIST, *place), "has_more": has_more}

    async def _start(self, cursor: str | None) -> _Place:
        last, forgotten = await self._log.head()
        if cursor is None:
            return _Place(forgotten + 1)
        number, pos = cursors.decode(cursor, _LIST, int, int)
        # One above the end is from before the database was restored: the numbers are given anew.
        if not forgotten < int(number) <= last + 1:
            raise AppError(errors.CURSOR_EXPIRED)
        return _Place(int(number), int(pos))

    async def _tell(
        self, rows: Sequence[LogRow], place: _Place, items: list[dict[str, Any]], limit: int
    ) -> _Place:
        """Adds events of the first rows to `items`, until there are `limit`. Returns how far it came."""
        rows, positions, changes_max = _plan(rows, place, limit - len(items))
        found = await self._changes.after_each(positions, changes_max) if rows else {}
        for row in rows:
            changes = found.get(row.conversation_id)
            if changes is None:
                place = _Place(row.number + 1)
                continue
            low = max(row.after, positions[row.conversation_id])
            for event in changes.events:
                if low < event.pos <= row.upto:
                    if len(items) == limit:
                        return place
                    items.append({"id": event_id(event), **body_of(event, timestamps.to_text(row.at))})
                    place = _Place(row.number, event.pos)
            if changes.to < row.upto:
                return _Place(row.number, changes.to)
            place = _Place(row.number + 1)
        return place


def _plan(rows: Sequence[LogRow], place: _Place, wanted: int) -> _Plan:
    """The first rows, as many as it takes to read about `wanted` changes; at least one if there is any."""
    positions: dict[str, int] = {}
    changes, changes_max = 1, min(wanted, _CHANGES_MAX)
    for count, row in enumerate(rows):
        start = max(row.after, place.pos) if row.number == place.number else row.after
        first = positions.get(row.conversation_id, start)
        most = max(changes, min(row.upto - first, changes_max))
        if count and most * len(positions.keys() | {row.conversation_id}) > wanted:
            return _Plan(rows[:count], positions, changes)
        positions[row.conversation_id], changes = first, most
        if row.upto - first > changes_max:
            # It isn't told to its end at once, and the next ones come after that.
            return _Plan(rows[: count + 1], positions, changes)
    return _Plan(rows, positions, changes)
