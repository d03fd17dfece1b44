"""Decides what users see of each other: only contacts see a user, and only what the user shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from messenger_shared.contract import cursors, errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.presence_states import INVISIBLE, OFFLINE, moment
from presence.last_seen import LastSeen
from presence.ports import Contacts, State, Store

ONLINE_LIST: Final = "online"
# A page takes at most MAX_REQUESTS_PER_PAGE requests. With few contacts online, it may be short.
CONTACTS_PER_REQUEST: Final = 1_000
MAX_REQUESTS_PER_PAGE: Final = 5

Row = dict[str, Any]


class Visibility:
    """Answers what a caller may see. Strangers and users who don't exist take the same path."""

    def __init__(self, store: Store, last_seen: LastSeen, contacts: Contacts) -> None:
        self._store = store
        self._last_seen = last_seen
        self._contacts = contacts

    async def visible_rows(self, caller: int, user_ids: Sequence[int]) -> list[Row]:
        """The presence of those users whom the caller may see, in the order of the ids. Raises AppError."""
        visible = await self._contacts.among(caller, user_ids) | {caller}
        allowed = [user_id for user_id in dict.fromkeys(user_ids) if user_id in visible]
        states = await self._states(caller, allowed)
        own = states.pop(caller)
        seen = {} if own.hides else await self._seen(states)
        rows = {user_id: _row(user_id, state.shown, seen.get(user_id)) for user_id, state in states.items()}
        rows[caller] = _row(caller, _own_status(own), None)
        return [rows[user_id] for user_id in allowed]

    async def get(self, caller: int, user_id: int) -> Row:
        """One user's presence. Raises AppError(not_found) for a stranger and for a user who doesn't exist."""
        rows = await self.visible_rows(caller, [user_id])
        if not rows:
            raise AppError(errors.NOT_FOUND)
        return rows[0]

    async def online_page(self, caller: int, cursor: str | None, limit: int) -> dict[str, Any]:
        """A page of the caller's contacts who are online or away, by id. A short page may have a next one."""
        after = cursors.decode_integer(cursor, ONLINE_LIST)
        items: list[Row] = []
        for _ in range(MAX_REQUESTS_PER_PAGE):
            contacts = await self._contacts.page(caller, after, CONTACTS_PER_REQUEST)
            for user_id, state in (await self._states(caller, contacts)).items():
                if state.shown != OFFLINE and user_id != caller:
                    items.append(_row(user_id, state.shown, None))
            if len(items) > limit:
                items = items[:limit]
                return {"items": items, "next_cursor": cursors.encode(ONLINE_LIST, items[-1]["user_id"])}
            if len(contacts) < CONTACTS_PER_REQUEST:
                return {"items": items, "next_cursor": None}
            after = contacts[-1]
        return {"items": items, "next_cursor": cursors.encode(ONLINE_LIST, after)}

    async def states(
        self, user_ids: Sequence[int], *, with_seen: bool
    ) -> tuple[int, bool, list[tuple[str, bool, int | None]]]:
        """(version, settled, [(status, hides, last seen in ms)]). Doesn't check who may see the users."""
        version, settled, states = await self._store.states(user_ids)
        found = list(zip(user_ids, states, strict=True))
        seen = await self._seen(dict(found)) if with_seen else {}
        return version, settled, [(state.shown, state.hides, seen.get(id_)) for id_, state in found]

    async def _seen(self, states: Mapping[int, State]) -> dict[int, int]:
        """When offline users were last seen, without those who hide it."""
        gone = [id_ for id_, state in states.items() if state.shown == OFFLINE and not state.hides]
        return await self._last_seen.read(gone) if gone else {}

    async def _states(self, caller: int, user_ids: Sequence[int]) -> dict[int, State]:
        """The states in the order of the ids, then the caller's own unless it is among them."""
        asked = list(dict.fromkeys((*user_ids, caller)))
        return dict(zip(asked, (await self._store.states(asked)).states, strict=True))


def _own_status(state: State) -> str:
    return INVISIBLE if state.invisible and state.real != OFFLINE else state.real


def _row(user_id: int, status: str, seen_ms: int | None) -> Row:
    return {"user_id": user_id, "status": status, "last_seen_at": moment(seen_ms)}
