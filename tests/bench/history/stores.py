"""The measured operations through chat-api's own stores: the time of PostgreSQL and the driver."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from chat_api.handlers.messages import NEWEST
from chat_api.storage.changes import PgChanges
from chat_api.storage.conversations import PgConversations
from chat_api.storage.messages import PgMessages
from chat_api.storage.receipts import PgReceipts
from messenger_shared.postgres.database import Database
from tests.bench.history.rows import NEVER_LOOKED
from tests.bench.history.samples import LIMIT, Sample, Samples

_LIST_DEPTH: Final = 250
Cursor = tuple[int, str]


class Stores:
    """The stores over one database."""

    name = "stores"

    def __init__(self, database: Database, deep: dict[int, Cursor]) -> None:
        self._messages = PgMessages(database)
        self._changes = PgChanges(database, LIMIT)
        self._conversations = PgConversations(database)
        self._receipts = PgReceipts(database)
        self._deep = deep

    def operations(self) -> dict[str, Callable[[Sample], Awaitable[object]]]:
        """Returns the operations by name; they ask for one row more than the page, as the handlers do."""
        messages, conversations, receipts = self._messages, self._conversations, self._receipts
        return {
            "page, newest": lambda p: messages.page(p.conversation.id, p.user, NEWEST, LIMIT + 1, False),
            "page, newest of the largest": lambda p: messages.page(
                p.largest.id, p.user, NEWEST, LIMIT + 1, False
            ),
            "page, deep in the largest": lambda p: messages.page(
                p.largest.id, p.user, p.middle, LIMIT + 1, False
            ),
            "changes after a pos": lambda p: self._changes.after(p.largest.id, 0, p.middle),
            "list, first page": lambda p: conversations.list_for(p.user, None, LIMIT + 1),
            "list, sixth page": lambda p: conversations.list_for(p.user, self._deep[p.user], LIMIT + 1),
            "sync": lambda p: conversations.counters(p.user, None, LIMIT + 1),
            "unread": lambda p: receipts.read(p.conversation.id, p.user, 1),
            "unread, nothing read": lambda p: receipts.read(p.largest.id, NEVER_LOOKED, 1),
            "memberships at connect": lambda p: conversations.memberships([p.user]),
        }


@contextlib.asynccontextmanager
async def open_stores(url: str, places: Samples) -> AsyncIterator[Stores]:
    """Yields the stores of the database at `url`, on one connection."""
    database = Database(url, 1, "bench")
    await database.start()
    try:
        yield Stores(database, await _deep_cursors(PgConversations(database), places))
    finally:
        await database.stop()


async def _deep_cursors(conversations: PgConversations, places: Samples) -> dict[int, Cursor]:
    found = {}
    for user in places.users:
        activity, row = (await conversations.list_for(user, None, _LIST_DEPTH))[-1]
        found[user] = (activity, row["id"])
    return found
