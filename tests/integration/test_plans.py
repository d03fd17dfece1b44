"""The plans of the hottest statements over a filled database: only index scans, no sort of a conversation.

One conversation has 50,000 messages, and the asking user is in 500 of 10,000 conversations. The rows that a
statement reads may grow with the page and with the user's conversations, never with the number of messages.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import psycopg2
import pytest

from chat_api.handlers.messages import NEWEST
from chat_api.storage.changes import PgChanges
from chat_api.storage.contacts import PgContacts
from chat_api.storage.conversations import PgConversations
from chat_api.storage.messages import PgMessages
from chat_api.storage.receipts import PgReceipts
from tests.bench.history.loader import Loaded, load
from tests.bench.history.rows import DELETED_EVERY, NEVER_LOOKED
from tests.bench.history.shape import FIRST_ORDINARY, Shape
from tests.conftest import SharedStack
from tests.integration.plans import RecordingDatabase

SHAPE = Shape(messages=120_000, conversations=10_000, largest=50_000, busy_users=2, busy_in=500)
LIMIT = 50
USER = 2
MIDDLE = SHAPE.largest // 2
MANY = range(FIRST_ORDINARY, FIRST_ORDINARY + 500)
# The unread count subtracts these, which have an index of their own.
TOMBSTONES = SHAPE.messages // DELETED_EVERY + 1
# Every tenth message mentions somebody; a few of them the asking user, or all.
MENTIONS = """
INSERT INTO messenger.mentions (conversation_id, user_id, seq, sender_id)
SELECT conversation_id, CASE WHEN seq %% 500 > 0 THEN 9 WHEN seq %% 1000 > 0 THEN %(user)s ELSE 0 END, seq,
       sender_id
  FROM messenger.messages WHERE seq %% 10 = 0 AND deleted_at IS NULL AND sender_id <> %(user)s
"""
# No statement reads others' mentions.
MENTIONS_READ = SHAPE.messages // 500


@dataclass(frozen=True, slots=True)
class Filled:
    """The database and the id of its largest conversation."""

    url: str
    largest: str


@pytest.fixture(scope="module")
def filled(stack: SharedStack, template_database: str) -> Iterator[Filled]:
    """A filled and analysed database, as chat-api logs in to it; the tests of this module change nothing."""
    name = f"plans_{uuid.uuid4().hex}"
    with closing(psycopg2.connect(stack.database_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template_database}")
        try:
            url = stack.database_url.rpartition("/")[0] + f"/{name}"
            loaded: Loaded = load(url, SHAPE)
            mention(url)
            yield Filled(stack.as_role(url, "messenger_chat"), loaded.conversations[0].id)
        finally:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def mention(url: str) -> None:
    """Stores the mentions, of which few conversations have many."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(MENTIONS, {"user": USER})
        cursor.execute("ANALYZE messenger.mentions")


@pytest.fixture
async def database(filled: Filled) -> AsyncIterator[RecordingDatabase]:
    database = RecordingDatabase(filled.url)
    await database.start()
    yield database
    await database.stop()


@dataclass(frozen=True, slots=True)
class Stores:
    """What runs the statements, and the id of the largest conversation."""

    messages: PgMessages
    changes: PgChanges
    conversations: PgConversations
    receipts: PgReceipts
    contacts: PgContacts
    largest: str


@pytest.fixture
def stores(database: RecordingDatabase, filled: Filled) -> Stores:
    return Stores(
        PgMessages(database),
        PgChanges(database, LIMIT),
        PgConversations(database),
        PgReceipts(database),
        PgContacts(database),
        filled.largest,
    )


@dataclass(frozen=True, slots=True)
class Hot:
    """A hot operation, and how many rows of `messages` it may read."""

    name: str
    run: Callable[[Stores], Awaitable[object]]
    messages: int


HOT = (
    Hot("newest page", lambda s: s.messages.page(s.largest, USER, NEWEST, LIMIT, False), LIMIT),
    Hot("page before a seq", lambda s: s.messages.page(s.largest, USER, MIDDLE, LIMIT, False), LIMIT),
    Hot("page after a seq", lambda s: s.messages.page(s.largest, USER, MIDDLE, LIMIT, True), LIMIT),
    Hot("changes after a pos", lambda s: s.changes.after(s.largest, 0, MIDDLE), LIMIT),
    Hot("list", lambda s: s.conversations.list_for(USER, None, LIMIT), 2 * LIMIT),
    Hot("sync", lambda s: s.conversations.counters(USER, None, LIMIT), LIMIT),
    Hot("read and unread", lambda s: s.receipts.read(s.largest, USER, MIDDLE), 1 + TOMBSTONES),
    Hot("unread of nothing", lambda s: s.receipts.read(s.largest, USER, SHAPE.largest), 1),
    Hot("unread of everything", lambda s: s.receipts.read(s.largest, NEVER_LOOKED, 1), 1 + TOMBSTONES),
    Hot("mentions", lambda s: s.messages.mentioning(USER, 2**63 - 1, LIMIT), LIMIT),
    Hot("memberships at connect", lambda s: s.conversations.memberships([USER]), 0),
    Hot("one membership", lambda s: s.conversations.membership(s.largest, USER), 0),
    Hot("contacts among many", lambda s: s.contacts.among(USER, list(MANY)), 0),
    Hot("a stranger among contacts", lambda s: s.contacts.among(NEVER_LOOKED, [USER]), 0),
    Hot("a page of contacts", lambda s: s.contacts.page(FIRST_ORDINARY, 0, LIMIT), 0),
)


@pytest.mark.parametrize("hot", HOT, ids=lambda hot: hot.name)
async def test_a_hot_statement_reads_what_it_shows(
    hot: Hot, stores: Stores, database: RecordingDatabase
) -> None:
    await hot.run(stores)
    plans = await database.plans()
    assert plans
    for plan in plans:
        assert plan.long_scans(SHAPE.busy_in) == set()
        assert plan.sorted_rows() <= SHAPE.busy_in
        assert plan.read_of("messages") <= hot.messages
        assert plan.read_of("mentions") <= MENTIONS_READ
        assert plan.read_of("conversations") <= SHAPE.busy_in


async def test_a_list_costs_the_same_statements_whatever_is_on_it(
    stores: Stores, database: RecordingDatabase
) -> None:
    counts = []
    for limit in (1, 100):
        await stores.conversations.list_for(USER, None, limit)
        counts.append(len(database.statements))
        database.statements.clear()
    assert counts == [1, 1]


BAD = "SELECT {} FROM messenger.messages WHERE conversation_id = %s"


async def test_counting_a_conversation_would_be_seen(database: RecordingDatabase, filled: Filled) -> None:
    await database.rows(BAD.format("count(sender_id)"), (filled.largest,), user_id=USER)
    [plan] = await database.plans()
    assert plan.read_of("messages") >= SHAPE.largest


async def test_sorting_a_conversation_would_be_seen(database: RecordingDatabase, filled: Filled) -> None:
    sql = BAD.format("content") + " ORDER BY sender_id LIMIT 1"
    await database.rows(sql, (filled.largest,), user_id=USER)
    [plan] = await database.plans()
    assert plan.sorted_rows() >= SHAPE.largest


async def test_reading_a_table_from_end_to_end_would_be_seen(database: RecordingDatabase) -> None:
    sql = "SELECT 1 FROM messenger.messages WHERE sender_id = 1 AND content = 'a'"
    await database.rows(sql, user_id=USER)
    [plan] = await database.plans()
    assert plan.long_scans(LIMIT) == {"messages"}
