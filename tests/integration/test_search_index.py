"""The search index with a real PostgreSQL: which blocks there are, and what they have of the messages."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack

import pytest

from chat_api.feed.cursors import PgCursors
from chat_api.feed.held_lease import HeldLease
from chat_api.feed.indexer import Indexer
from chat_api.search import index
from chat_api.search.grams import (
    HAS_FILE,
    HAS_LINK,
    conversation_gram,
    gram,
    query_grams,
    sender_gram,
)
from chat_api.storage.operators import PgOperators
from messenger_shared.contract.identifiers import new_id
from messenger_shared.contract.text.fold import fold
from messenger_shared.postgres.database import Database
from tests.databases import logged_in
from tests.integration.following import caught_up, following, run
from tests.integration.indexing import ADMIN, MEMBER, Room, findings


@pytest.fixture
async def room(database: Database, database_url: str) -> Room:
    return await Room(database, database_url).create()


async def test_what_was_sent_together_becomes_as_few_blocks_as_there_may_be(
    room: Room, database_url: str
) -> None:
    await room.send(*(f"글{number}" for number in range(150)))
    await room.index()
    assert room.blocks == [(1, 64), (65, 128), (129, 144), (145, 150)]
    assert findings(database_url) == []


async def test_single_messages_are_merged_by_eights_and_by_runs(room: Room, database_url: str) -> None:
    sizes = []
    for number in range(66):
        await room.send(f"글{number}")
        await room.index()
        sizes.append(len(room.blocks))
    assert sizes[:17] == [1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7, 8, 2, 3]
    assert sizes[62:] == [14, 1, 2, 3]
    assert findings(database_url) == []


async def test_an_edited_and_a_deleted_text_leave_the_index(room: Room, database_url: str) -> None:
    [edited, deleted, _] = await room.send("회의록 초안", "비밀번호", "점심")
    await room.index()
    assert query_grams(["회의록", "비밀번호", fold("ㅎㅇㄹ")]) <= room.grams
    await room.edit(edited, "결과 보고")
    await room.delete(deleted)
    await room.index()
    assert not query_grams(["회의록", "비밀번호", fold("ㅎㅇㄹ")]) & room.grams
    assert query_grams(["결과", "점심"]) <= room.grams
    assert findings(database_url) == []


async def test_a_change_writes_its_own_block_alone(room: Room, database_url: str) -> None:
    ids = await room.send(*(f"글{number}" for number in range(130)))
    await room.index()
    written = "SELECT xmin::text FROM messenger.search_blocks ORDER BY first_seq"
    before = run(database_url, written)
    await room.edit(ids[70], "다른 글")
    await room.index()
    after = run(database_url, written)
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]


async def test_an_edit_that_comes_before_its_message_is_indexed(room: Room, database_url: str) -> None:
    [first, *_] = await room.send("하나", "둘둘")
    await room.edit(first, "하나 그리고")
    await room.index()
    await room.delete(first)
    await room.send("셋셋")
    await room.index()
    assert room.blocks == [(1, 2), (3, 3)]
    assert not query_grams(["그리고"]) & room.grams
    assert findings(database_url) == []


async def test_senders_files_and_links_have_grams(room: Room) -> None:
    await room.send("글", sender_id=MEMBER)
    await room.index()
    assert room.grams == {conversation_gram(room.id), sender_gram(MEMBER)}
    await room.send("HTTPS://messenger.example", file_name="Ａngebot.pdf")
    await room.index()
    wanted = {sender_gram(ADMIN), gram(HAS_FILE), gram(HAS_LINK), *query_grams(["angebot.pdf"])}
    assert wanted <= room.grams


async def test_a_deleted_message_leaves_no_sender(room: Room) -> None:
    [message] = await room.send("글글", sender_id=MEMBER, file_name="a.pdf")
    await room.index()
    await room.delete(message)
    await room.index()
    assert room.grams == {conversation_gram(room.id)}


async def test_a_closed_conversation_has_no_blocks(room: Room, database: Database, database_url: str) -> None:
    await room.send("글글")
    await room.index()
    await PgOperators(database).close(room.id)
    await room.index()
    assert room.blocks == []
    assert findings(database_url) == []


async def test_a_long_backlog_comes_in_portions(
    room: Room, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat_api.feed.indexer._CHANGES_MAX", 100)
    monkeypatch.setattr(index, "MESSAGES_MAX", 64)
    ids = await room.send(*(f"글{number}" for number in range(250)))
    await room.edit(ids[3], "고친 글")
    for _ in range(3):
        await room.index()
        assert findings(database_url) == []
    assert room.blocks == [(1, 64), (65, 128), (129, 192), (193, 200), (201, 248), (249, 250)]


async def test_blocks_and_cursor_change_together_or_not_at_all(
    room: Room, database: Database, database_url: str
) -> None:
    await room.send("글글")
    cursors = PgCursors(database, Indexer.name)
    await cursors.claim([room.id], new_id())
    parameters = index.write_parameters(new_id(), {room.id: 9}, [], [])
    assert await database.rows(index.WRITE, parameters) == []
    assert run(database_url, "SELECT pos FROM messenger.feed_cursors") == [(0,)]


async def test_the_index_is_whole_after_everything_at_once(
    database: Database, chat_database_url: str, database_url: str
) -> None:
    chance = random.Random(7)
    rooms = [await Room(database, database_url).create() for _ in range(4)]

    async def chat(room: Room) -> None:
        sent: list[str] = []
        for _ in range(60):
            sent += await room.send(*(f"글{chance.random()}" for _ in range(chance.choice((1, 1, 1, 5, 30)))))
            if chance.random() < 0.5:
                await room.edit(sent[chance.randrange(len(sent))], f"고침{chance.random()}")
            if chance.random() < 0.3:
                await room.delete(sent.pop(chance.randrange(len(sent))))
            for follower in followers:
                follower.on_marks({room.id: 1_000_000})

    async with AsyncExitStack() as exits:
        followers = []
        for _ in range(2):
            pool = await exits.enter_async_context(logged_in(chat_database_url))
            followers.append(await exits.enter_async_context(following(pool, Indexer(pool, gather_s=0))))
        await asyncio.gather(*map(chat, rooms))
        await caught_up(database, Indexer.name)
    assert findings(database_url) == []


async def test_who_was_stopped_for_longer_than_the_lease_writes_nothing(
    room: Room, database: Database, database_url: str
) -> None:
    [message] = await room.send("글글")
    cursors, token = PgCursors(database, Indexer.name), new_id()
    claimed = await cursors.claim([room.id], token, 0.0)
    await room.index()
    await room.delete(message)
    await room.index()
    before = run(database_url, "SELECT * FROM messenger.search_blocks")
    assert await Indexer(database).handle(claimed.claims, HeldLease(cursors, token)) == {}
    assert run(database_url, "SELECT * FROM messenger.search_blocks") == before
    assert findings(database_url) == []
