"""Owns what users get to see of each other: of those with whom they share a conversation, what these tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from messenger_shared import cursors, errors
from messenger_shared.errors import AppError
from messenger_shared.presences import INVISIBLE, OFFLINE, moment
from presence.last_seen import LastSeen
from presence.ports import Contacts, State, Store

LIST: Final = "online"
# How many contacts are gone through for one page: who has many of them and few there gets it in several.
CONTACTS_AT_ONCE: Final = 1_000
ROUNDS: Final = 5

Row = dict[str, Any]


class Views:
    """Answers for a caller. Whoever is asked about, a stranger or not, it goes the same way."""

    def __init__(self, store: Store, last_seen: LastSeen, contacts: Contacts) -> None:
        self._store = store
        self._last_seen = last_seen
        self._contacts = contacts

    async def look(self, caller: int, user_ids: Sequence[int]) -> list[Row]:
        """How these are whom the caller may see, in the order of the ids. Raises AppError."""
        known = await self._contacts.among(caller, user_ids) | {caller}
        allowed = [user_id for user_id in dict.fromkeys(user_ids) if user_id in known]
        states = await self._states(caller, allowed)
        own = states.pop(caller)
        seen = {} if own.hides else await self._seen(states)
        rows = {user_id: _row(user_id, state.seen, seen.get(user_id)) for user_id, state in states.items()}
        rows[caller] = _row(caller, _as_oneself(own), None)
        return [rows[user_id] for user_id in allowed]

    async def one(self, caller: int, user_id: int) -> Row:
        """How somebody is; raises AppError(not_found) for a stranger, and for one who doesn't exist."""
        rows = await self.look(caller, [user_id])
        if not rows:
            raise AppError(errors.NOT_FOUND)
        return rows[0]

    async def online(self, caller: int, cursor: str | None, limit: int) -> dict[str, Any]:
        """A page of the caller's contacts who are there, by id; it may be short and not the last."""
        after = cursors.decode_integer(cursor, LIST)
        items: list[Row] = []
        for _ in range(ROUNDS):
            contacts = await self._contacts.page(caller, after, CONTACTS_AT_ONCE)
            for user_id, state in (await self._states(caller, contacts)).items():
                if state.seen != OFFLINE and user_id != caller:
                    items.append(_row(user_id, state.seen, None))
            if len(items) > limit:
                items = items[:limit]
                return {"items": items, "next_cursor": cursors.encode(LIST, items[-1]["user_id"])}
            if len(contacts) < CONTACTS_AT_ONCE:
                return {"items": items, "next_cursor": None}
            after = contacts[-1]
        return {"items": items, "next_cursor": cursors.encode(LIST, after)}

    async def states(
        self, user_ids: Sequence[int], *, with_seen: bool
    ) -> tuple[int, bool, list[tuple[str, bool, int | None]]]:
        """How users are seen, in the store's terms, for a gateway that knows who may see them."""
        version, settled, states = await self._store.states(user_ids)
        found = list(zip(user_ids, states, strict=True))
        seen = await self._seen(dict(found)) if with_seen else {}
        return version, settled, [(state.seen, state.hides, seen.get(id_)) for id_, state in found]

    async def _seen(self, states: Mapping[int, State]) -> dict[int, int]:
        """When those were last there who are gone, and tell."""
        gone = [id_ for id_, state in states.items() if state.seen == OFFLINE and not state.hides]
        return await self._last_seen.read(gone) if gone else {}

    async def _states(self, caller: int, user_ids: Sequence[int]) -> dict[int, State]:
        """In the order of the ids; the caller's own comes last, unless he is among them."""
        asked = list(dict.fromkeys((*user_ids, caller)))
        return dict(zip(asked, (await self._store.states(asked)).states, strict=True))


def _as_oneself(state: State) -> str:
    return INVISIBLE if state.invisible and state.real != OFFLINE else state.real


def _row(user_id: int, status: str, seen_ms: int | None) -> Row:
    return {"user_id": user_id, "status": status, "last_seen_at": moment(seen_ms)}
