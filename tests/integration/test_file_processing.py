"""The examination of files in real PostgreSQL: its queue, and what its end changes in messages."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any

import orjson
import psycopg2
import pytest

from chat_api.check import audit
from chat_api.file_rows import Settled
from chat_api.model import Draft, NewConversation, Verdict
from chat_api.storage.changes import PgChanges
from chat_api.storage.conversations import PgConversations
from chat_api.storage.files import PgFiles
from chat_api.storage.messages import PgMessages
from messenger_shared.contract.identifiers import SERVER, new_id
from messenger_shared.postgres.database import Database

OWNER, OTHER = 1, 2
LEASE_S = 60
READY = {"state": "ready", "mime": "image/png", "kind": "image", "size": 7, "width": 3, "thumbs": [320]}
REJECTED = {"state": "rejected", "mime": "image/png", "kind": "image", "size": 9}


@pytest.fixture
def files(database: Database) -> PgFiles:
    return PgFiles(database, 0, 0)


async def pending(files: PgFiles, lease_s: int = LEASE_S) -> str:
    file_id = new_id()
    await files.add(OWNER, file_id, "a", 9, "image/png", "00")
    file = await files.finish(file_id, OWNER, "image/png", "image", lease_s)
    assert (file and file.state) == "pending"
    return file_id


async def group(database: Database) -> str:
    new = NewConversation(new_id(), "group", "t", OWNER, {OWNER: "admin", OTHER: "member"}, None)
    await PgConversations(database).create(new)
    return new.id


async def send(database: Database, room: str, *file_ids: str) -> tuple[str, Verdict]:
    draft = Draft(new_id(), room, OWNER, None, "text", "x", None, None, None, None, None, list(file_ids))
    [verdict] = await PgMessages(database).store([draft])
    return draft.id, verdict


async def settled(files: PgFiles, file_id: str, outcome: dict[str, Any]) -> Settled:
    found = await files.settle(file_id, outcome)
    assert found is not None
    return found


async def message(database: Database, room: str, caller: int = OTHER) -> dict[str, Any]:
    """The newest message of a conversation."""
    return (await PgMessages(database).page(room, caller, 99, 1, forward=False))[0]


async def events(database: Database, room: str, pos: int, caller: int = 0) -> list[dict[str, Any]]:
    """What a gateway is told of after a pos."""
    changes = await PgChanges(database).after(room, caller, pos)
    assert changes is not None
    return [orjson.loads(event.frame) for event in changes.events]


def let_leases_end(url: str) -> None:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE messenger.files SET process_at = now() WHERE process_at IS NOT NULL")


async def test_every_message_of_a_file_tells_its_end_at_a_pos_of_its_own(
    files: PgFiles, database: Database, database_url: str
) -> None:
    file_id, other = await pending(files), await pending(files)
    rooms = [await group(database) for _ in range(2)]
    ids = [(await send(database, room, other, file_id))[0] for room in (*rooms, rooms[0])]
    before = [await message(database, room) for room in rooms]
    assert [file["state"] for file in before[0]["attachments"]] == ["pending", "pending"]

    done = await settled(files, file_id, READY)
    assert (done.file.state, done.file.size, done.file.width, done.file.height) == ("ready", 7, 3, None)
    assert {change.message_id for change in done.changes} == set(ids)
    found = {change.message_id: change for change in done.changes}
    # The first room has two messages with the file: what changed first was sent first.
    assert (found[ids[0]].pos, found[ids[2]].pos, found[ids[1]].pos) == (4, 5, 3)
    for room, old in zip(rooms, before, strict=True):
        new = await message(database, room)
        assert {**new, "attachments": []} == {**old, "attachments": []}
        assert [file["state"] for file in new["attachments"]] == ["pending", "ready"]
        assert new["attachments"][1] == {**old["attachments"][1], **READY}
        for caller in (0, OTHER):
            [event] = await events(database, room, found[new["id"]].pos - 1, caller)
            expected = {"type": "message.files", "conversation_id": room, "message_id": new["id"]}
            expected |= {"pos": found[new["id"]].pos, "attachments": new["attachments"]}
            assert event == expected
    # Another file of these messages ends: the latest state is told once.
    await files.settle(other, REJECTED)
    told = [event for event in await events(database, rooms[1], 0) if event["type"] == "message.files"]
    assert [file["state"] for file in told[0]["attachments"]] == ["rejected", "ready"]
    assert len(told) == 1
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        assert audit(cursor) == []


async def test_a_repeat_of_an_end_returns_the_same_and_changes_nothing(
    files: PgFiles, database: Database
) -> None:
    file_id, room = await pending(files), await group(database)
    await send(database, room, file_id)
    first = await settled(files, file_id, READY)
    assert await settled(files, file_id, REJECTED) == first
    await send(database, room, file_id)
    # A message that was sent afterwards has the file as it is, and no change of it.
    assert await settled(files, file_id, READY) == first
    assert await files.settle(new_id(), READY) is None


async def test_a_deleted_message_has_no_event_of_its_files(files: PgFiles, database: Database) -> None:
    file_id, room = await pending(files), await group(database)
    sent, _ = await send(database, room, file_id)
    await files.settle(file_id, READY)
    await PgMessages(database).delete(sent, OWNER)
    assert [event["type"] for event in await events(database, room, 1)] == ["message.deleted"]


async def test_a_taken_file_comes_again_only_when_the_lease_ends(files: PgFiles, database_url: str) -> None:
    taken, free = await pending(files), await pending(files, 0)
    [(file, attempts)] = await files.take_pending(10, LEASE_S)
    assert (file.file_id, attempts) == (free, 1)
    assert await files.take_pending(10, LEASE_S) == []
    let_leases_end(database_url)
    # Two gateways never take the same file.
    found = await asyncio.gather(*(files.take_pending(1, LEASE_S) for _ in range(3)))
    assert sorted((file.file_id, times) for rows in found for file, times in rows) == sorted(
        [(taken, 2), (free, 2)]
    )
    await files.put_back(taken, 0)
    assert [file.file_id for file, _ in await files.take_pending(10, LEASE_S)] == [taken]
    for file_id in (taken, free):
        await files.settle(file_id, READY)
    let_leases_end(database_url)
    assert await files.take_pending(10, LEASE_S) == []


async def test_a_rejected_file_comes_until_its_bytes_are_gone(files: PgFiles, database_url: str) -> None:
    file_id = await pending(files)
    await files.settle(file_id, REJECTED)
    assert await files.take_pending(10, LEASE_S) == []
    let_leases_end(database_url)
    [(file, _)] = await files.take_pending(10, LEASE_S)
    assert (file.file_id, file.state) == (file_id, "rejected")
    await files.removed([file_id])
    let_leases_end(database_url)
    assert await files.take_pending(10, LEASE_S) == []
    assert (await files.finish(file_id, OWNER, "text/plain", "file", None)) == file


async def test_what_may_be_sent(files: PgFiles, database: Database) -> None:
    room, opened, examined = await group(database), new_id(), await pending(files)
    rejected = await pending(files)
    await files.settle(rejected, REJECTED)
    await files.add(OWNER, opened, "a", 9, "image/png", "00")
    verdicts = [(await send(database, room, id_))[1].verdict for id_ in (opened, examined, rejected)]
    assert verdicts == ["file_not_ready", "stored", "no_file"]


async def test_a_pending_file_is_in_a_hundred_messages_at_most(files: PgFiles, database: Database) -> None:
    room, file_id = await group(database), await pending(files)
    drafts = [
        Draft(new_id(), room, OWNER, None, "text", "x", None, None, None, None, None, [file_id])
        for _ in range(100)
    ]
    assert {verdict.verdict for verdict in await PgMessages(database).store(drafts)} == {"stored"}
    assert (await send(database, room, file_id))[1].verdict == "file_not_ready"
    done = await settled(files, file_id, READY)
    assert [change.pos for change in done.changes] == list(range(102, 202))
    assert (await send(database, room, file_id))[1].verdict == "stored"


async def test_what_is_removed_is_not_examined(files: PgFiles, database: Database, database_url: str) -> None:
    file_id, room = await pending(files), await group(database)
    sent, _ = await send(database, room, file_id)
    await PgMessages(database).delete(sent, OWNER)
    let_leases_end(database_url)
    assert await files.take_pending(10, LEASE_S) == []
    assert await files.take_due(10) == [file_id]
    assert await files.settle(file_id, READY) is None


async def test_the_release_before_does_not_make_an_examined_file_ready(
    files: PgFiles, database: Database
) -> None:
    rejected, examined = await pending(files), await pending(files)
    await files.settle(rejected, REJECTED)
    await database.rows(
        "UPDATE messenger.files SET state = 'ready' WHERE id = ANY (%s::uuid[])",
        ([rejected, examined],),
        user_id=OWNER,
    )
    states = "SELECT state FROM messenger.files ORDER BY state"
    assert await database.rows(states, user_id=SERVER) == [("pending",), ("rejected",)]


async def test_a_file_that_is_sent_while_it_is_settled_is_right_in_each_message(
    files: PgFiles, database: Database, database_url: str
) -> None:
    rooms = [await group(database) for _ in range(4)]
    for _ in range(5):
        file_id = await pending(files)
        sends = [send(database, room, file_id) for room in rooms]
        await asyncio.gather(*sends[:2], files.settle(file_id, READY), *sends[2:])
        for room in rooms:
            assert [file["state"] for file in (await message(database, room))["attachments"]] == ["ready"]
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        assert audit(cursor) == []
