"""Reads what changed in a conversation after a pos, for gateways that missed events."""

from __future__ import annotations

from chat_api.model import ConversationChanges
from chat_api.storage.conversations import LAST_POSITIONS
from chat_api.storage.kinds import CHANGES_MAX, KINDS
from messenger_shared.contract.events import Event
from messenger_shared.postgres.database import Database


class PgChanges:
    """A ChangeStore in PostgreSQL. It reads up to `max_rows` rows of each kind, or the kind's own limit."""

    def __init__(self, database: Database, max_rows: int | None = None) -> None:
        self._database = database
        self._max_rows = max_rows

    async def after(self, conversation_id: str, caller: int, pos: int) -> ConversationChanges | None:
        parameters = {"conversation": conversation_id, "user": caller, "pos": pos}
        events: list[Event] = []
        # One snapshot: otherwise a commit between two of these statements would be visible only in part.
        async with self._database.snapshot(user_id=caller or None) as snapshot:
            positions = await snapshot.rows(LAST_POSITIONS, ([conversation_id],))
            if not positions:
                return None
            upto = positions[0][1]
            for kind in KINDS:
                limit = self._max_rows or kind.limit
                query = kind.changed_for if caller else kind.changed
                rows = await snapshot.rows(query, {**parameters, "limit": limit})
                found = kind.events(conversation_id, rows)
                # Above the end of a list that was cut, changes are missing.
                if len(found) >= CHANGES_MAX:
                    upto = min(upto, found[CHANGES_MAX - 1].pos)
                if len(rows) >= limit:
                    upto = min(upto, found[-1].pos)
                events += found
        complete = sorted((event for event in events if event.pos <= upto), key=lambda event: event.pos)
        return ConversationChanges(upto, complete)
