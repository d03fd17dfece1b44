"""Reads what changed in conversations after a pos: for gateways that missed events, and for hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from chat_api.model import ConversationChanges
from chat_api.storage.conversations import LAST_POSITIONS
from chat_api.storage.kinds import CHANGED_MEMBERS_MAX, CHANGES_MAX, KINDS, Kind
from messenger_shared.contract.events import Event
from messenger_shared.postgres.database import Database, Row

# What is asked of one conversation, asked of several, each with its place in the arrays.
_OF_MANY: Final = {
    kind.name: "SELECT w.place, c.* FROM unnest(%(conversations)s::uuid[], %(positions)s::bigint[]) "
    "WITH ORDINALITY AS w (id, pos, place) CROSS JOIN LATERAL ("
    + kind.changed.replace("%(conversation)s", "w.id").replace("%(pos)s", "w.pos")
    + ") c"
    for kind in KINDS
}


class PgChanges:
    """A ChangeStore in PostgreSQL. It reads up to `max_rows` rows of each kind, or the kind's own limit."""

    def __init__(self, database: Database, max_rows: int | None = None) -> None:
        self._database = database
        self._max_rows = max_rows

    async def after(self, conversation_id: str, caller: int, pos: int) -> ConversationChanges | None:
        parameters = {"conversation": conversation_id, "user": caller, "pos": pos}
        found: list[tuple[Kind, int, Sequence[Row]]] = []
        # One snapshot: otherwise a commit between two of these statements would be visible only in part.
        async with self._database.snapshot(user_id=caller or None) as snapshot:
            positions = await snapshot.rows(LAST_POSITIONS, ([conversation_id],))
            if not positions:
                return None
            for kind in KINDS:
                limit = self._max_rows or kind.limit
                query = kind.changed_for if caller else kind.changed
                found.append((kind, limit, await snapshot.rows(query, {**parameters, "limit": limit})))
        return _complete(conversation_id, positions[0][1], found, CHANGES_MAX)

    async def after_each(self, positions: Mapping[str, int], limit: int) -> dict[str, ConversationChanges]:
        ids = list(positions)
        parameters = {"conversations": ids, "positions": [positions[id_] for id_ in ids]}
        found: dict[str, list[tuple[Kind, int, Sequence[Row]]]] = {id_: [] for id_ in ids}
        async with self._database.snapshot() as snapshot:
            last: dict[str, int] = dict(await snapshot.rows(LAST_POSITIONS, (ids,)))
            for kind in KINDS:
                # Members come by the user, so that a change may have many rows.
                at_most = CHANGED_MEMBERS_MAX if kind.limit == CHANGED_MEMBERS_MAX else limit
                rows = await snapshot.rows(_OF_MANY[kind.name], {**parameters, "limit": at_most})
                for place, group in groupby(sorted(rows, key=itemgetter(0)), key=itemgetter(0)):
                    found[ids[place - 1]].append((kind, at_most, [row[1:] for row in group]))
        return {id_: _complete(id_, pos, found[id_], limit) for id_, pos in last.items()}


def _complete(
    conversation_id: str, last_pos: int, found: Iterable[tuple[Kind, int, Sequence[Row]]], at_most: int
) -> ConversationChanges:
    """The events of rows of each kind, as far as they are all there are: each kind's rows and their limit."""
    upto, events = last_pos, list[Event]()
    for kind, limit, rows in found:
        of_kind = kind.events(conversation_id, rows)
        # Above the end of a list that was cut, changes are missing.
        if len(of_kind) >= at_most:
            upto = min(upto, of_kind[at_most - 1].pos)
        if len(rows) >= limit:
            upto = min(upto, of_kind[-1].pos)
        events += of_kind
    complete = sorted((event for event in events if event.pos <= upto), key=lambda event: event.pos)
    return ConversationChanges(upto, complete)
