"""How many statements a page takes: a list must not ask once per row."""

from __future__ import annotations

from typing import Any

import pytest

from chat_api.handlers.conversations import ConversationHandlers
from chat_api.handlers.messages import MessageHandlers
from chat_api.high_water_marks import HighWaterMarks
from chat_api.model import Draft, Reaction
from chat_api.publisher import Publisher
from chat_api.rules.conversations import new_conversation
from chat_api.send_batcher import SendBatcher
from chat_api.storage.changes import PgChanges
from chat_api.storage.conversations import PgConversations
from chat_api.storage.messages import PgMessages
from chat_api.storage.reactions import PgReactions
from chat_api.storage.receipts import PgReceipts
from chat_api.storage.titles import PgTitles
from chat_api.storage.users import PgUsers
from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.contract.identifiers import new_id
from messenger_shared.postgres.database import Database, Row, Transaction
from messenger_shared.rpc.messages import Request

ME, OTHER, ROWS = 1, 2, 50


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Returns the list that records statements from now on."""
    found: list[str] = []
    rows = Transaction.rows

    async def recording_rows(self: Transaction, sql: str, parameters: Any = ()) -> list[Row]:
        found.append(sql)
        return await rows(self, sql, parameters)

    monkeypatch.setattr(Transaction, "rows", recording_rows)
    return found


@pytest.fixture
async def publisher() -> Publisher:
    bus = MemoryBus(MemoryBroker(), "chat-api-1")
    return Publisher(bus, HighWaterMarks(bus))


def draft(room: str) -> Draft:
    mentions = {"mentions": {"user_ids": [ME], "all": False}, "entities": []}
    return Draft(new_id(), room, OTHER, None, "text", "hello", None, None, None, None, mentions)


def request(**body: Any) -> Request:
    return Request(1, "", ME, 1_000, "", {"cursor": None, "limit": ROWS, **body})


async def test_fifty_conversations_take_one_statement_for_rows_and_one_for_users(
    database: Database, publisher: Publisher, executed: list[str]
) -> None:
    conversations = PgConversations(database)
    rooms = [new_conversation(new_id(), "group", "t", ME, [OTHER, 10 + number]) for number in range(ROWS)]
    for room in rooms:
        await conversations.create(room)
    drafts = [draft(room.id) for room in rooms]
    await PgMessages(database).store(drafts)
    await PgReactions(database, ["member"], 30).store([Reaction(one.id, OTHER, "👍", True) for one in drafts])
    executed.clear()
    users, titles = PgUsers(database), PgTitles(database)
    handlers = ConversationHandlers(conversations, PgChanges(database), users, publisher, titles)
    page = await handlers.list_for(request())
    assert len(page["items"]) == ROWS
    assert all(row["last_message"]["reactions"] and row["unread_mentions"] == 1 for row in page["items"])
    assert len(executed) == 2, executed
    executed.clear()
    page = await handlers.list_for(request(q="t"))
    assert len(page["items"]) == ROWS
    # One more for the titles.
    assert len(executed) == 3, executed


async def test_fifty_messages_take_one_statement_for_rows_and_one_for_users(
    database: Database, publisher: Publisher, executed: list[str]
) -> None:
    conversations, messages = PgConversations(database), PgMessages(database)
    room = new_conversation(new_id(), "group", "t", ME, [OTHER])
    await conversations.create(room)
    drafts = [draft(room.id) for _ in range(ROWS)]
    await messages.store(drafts)
    await PgReactions(database, ["member"], 30).store([Reaction(one.id, OTHER, "👍", True) for one in drafts])
    executed.clear()
    batcher = SendBatcher(messages, publisher)
    receipts, users = PgReceipts(database), PgUsers(database)
    handlers = MessageHandlers(messages, conversations, receipts, users, batcher, publisher)
    nothing = {"before_seq": None, "after_seq": None, "before": None, "around": None}
    page = await handlers.history(request(conversation_id=room.id, **nothing))
    assert len([message for message in page["items"] if message["reactions"]]) == ROWS
    # One more for the caller's own membership.
    assert len(executed) == 3, executed
