"""Conversations and migrations in real PostgreSQL."""

from __future__ import annotations

import asyncio

import pytest

from chat_api.model import Draft
from chat_api.rules.conversations import new_conversation
from chat_api.storage.conversations import PgConversations
from chat_api.storage.messages import PgMessages
from messenger_shared.contract.identifiers import new_id
from messenger_shared.postgres import migrations
from messenger_shared.postgres.database import Database
from messenger_shared.postgres.migrations import Migration, MigrationError, migrate


@pytest.fixture
def store(database: Database) -> PgConversations:
    return PgConversations(database)


async def create(store: PgConversations, *users: int, type_: str = "group") -> tuple[str, bool]:
    title = None if type_ == "direct" else "title"
    return await store.create(new_conversation(new_id(), type_, title, users[0], users[1:]))


async def test_a_direct_conversation_is_one_per_pair_also_at_once(store: PgConversations) -> None:
    pairs = [(1, 2) if n % 2 else (2, 1) for n in range(100)]
    results = await asyncio.gather(*(create(store, *pair, type_="direct") for pair in pairs))
    assert len({id_ for id_, _ in results}) == 1
    assert [created for _, created in results].count(True) == 1


async def test_creating_with_one_id_again_gives_the_same(store: PgConversations) -> None:
    new = new_conversation(new_id(), "group", "t", 1, [2])
    assert await store.create(new) == await store.create(new) == (new.id, True)


async def test_the_list_pages_by_activity_without_holes_or_repeats(
    database: Database, store: PgConversations
) -> None:
    ids = [(await create(store, 1, 2))[0] for _ in range(7)]
    messages = PgMessages(database)
    for id_ in (ids[3], ids[0]):
        await messages.store([Draft(new_id(), id_, 2, None, "text", "x", None, None, None, None)])
    expected = [ids[0], ids[3], ids[6], ids[5], ids[4], ids[2], ids[1]]
    found: list[str] = []
    before = None
    while rows := await store.list_for(1, before, 2):
        found += [row["id"] for _, row in rows]
        before = (rows[-1][0], rows[-1][1]["id"])
    assert found == expected
    [(_, newest)] = await store.list_for(1, None, 1)
    assert (newest["unread"], newest["read_seq"], newest["last_seq"]) == (1, 0, 1)
    [(_, own)] = await store.list_for(2, None, 1)
    assert (own["unread"], own["read_seq"]) == (0, 1)


async def test_a_stranger_has_no_membership(store: PgConversations) -> None:
    id_, _ = await create(store, 1, 2)
    assert await store.membership(id_, 3) is None
    assert await store.membership(new_id(), 1) is None
    found = await store.membership(id_, 1)
    assert found is not None
    assert (found.role, found.last_pos, found.has_left) == ("admin", 1, False)


async def test_migrations_run_twice_and_from_two_starters_at_once(database_url: str) -> None:
    steps = [
        Migration(1, "0001_a.sql", "CREATE TABLE many.a (x int)"),
        Migration(2, "0002_b.sql", "CREATE TABLE many.b (x int); INSERT INTO many.b VALUES (1)"),
    ]
    runs = (asyncio.to_thread(migrate, database_url, "many", steps) for _ in range(4))
    applied = await asyncio.gather(*runs)
    assert sorted(applied) == [[], [], [], ["0001_a.sql", "0002_b.sql"]]
    assert migrate(database_url, "many", steps) == []


async def test_a_failed_migration_leaves_nothing_behind(database_url: str) -> None:
    broken = Migration(1, "0001_a.sql", "CREATE TABLE half.a (x int); SELECT 1/0")
    with pytest.raises(Exception, match="division"):
        migrate(database_url, "half", [broken])
    fixed = Migration(1, "0001_a.sql", "CREATE TABLE half.a (x int)")
    assert migrate(database_url, "half", [fixed]) == ["0001_a.sql"]


async def test_a_database_of_a_newer_release_is_refused(database_url: str) -> None:
    with pytest.raises(MigrationError, match="newer than this release"):
        migrate(database_url, "messenger", migrations.load("chat_api")[:0])
