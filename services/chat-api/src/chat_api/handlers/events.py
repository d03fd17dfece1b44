"""Handles the reading of events of all conversations by a host application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from chat_api.model import ConversationChanges
from chat_api.webhooks.bodies import body_of, event_id
from messenger_shared.contract import cursors, errors, timestamps
from messenger_shared.contract.errors import AppError
from messenger_shared.rpc.messages import Request

_LIST: Final = "events"
# Changes of each kind that are read at once, of one conversation.
_CHANGES: Final = 25
# Pages of the log that one request reads, if nothing is left to tell of them.
_PAGES: Final = 5


class Row(Protocol):
    """A row of the log: the conversation has changes above `after`, up to `upto`."""

    number: int
    conversation_id: str
    after: int
    upto: int
    at: Any


class EventLog(Protocol):
    """The log of what changed where."""

    async def page(self, first: int, limit: int) -> Sequence[Any]:
        """The rows from the number `first` on."""

    async def head(self) -> Any:
        """(the last number, the number up to which rows are deleted)."""


class ChangeReader(Protocol):
    """Where the changes of conversations are read, in their latest state."""

    async def after_each(self, positions: Mapping[str, int], limit: int) -> dict[str, ConversationChanges]:
        """The changes of each conversation after its pos."""


class _Place(NamedTuple):
    """All rows below `number` are told, and of that row the changes up to `pos`."""

    number: int
    pos: int = 0


class EventHandlers:
    """Reading events in the order in which the feed noticed them."""

    def __init__(self, log: EventLog, changes: ChangeReader) -> None:
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
            if items or not has_more:
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
        self, rows: Sequence[Row], place: _Place, items: list[dict[str, Any]], limit: int
    ) -> _Place:
        """Adds the events of the rows to `items`, until there are `limit`. Returns how far it came."""
        positions: dict[str, int] = {}
        for row in rows:
            start = max(row.after, place.pos) if row.number == place.number else row.after
            positions.setdefault(row.conversation_id, start)
        found = await self._changes.after_each(positions, _CHANGES) if rows else {}
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
