"""The rows of files in real PostgreSQL: quotas, links, and the queue of removals, also under races."""

from __future__ import annotations

import asyncio
from contextlib import closing

import psycopg2
import pytest

from chat_api.model import Draft, NewConversation
from chat_api.storage.conversations import PgConversations
from chat_api.storage.files import PgFiles
from chat_api.storage.messages import PgMessages
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER, new_id
from messenger_shared.postgres.database import Database

OWNER, OTHER = 1, 2
MIME = "text/plain"


@pytest.fixture
def files(database: Database) -> PgFiles:
    return PgFiles(database, 100, 5)


async def ready(files: PgFiles, size: int = 1) -> str:
    file_id = new_id()
    await files.add(OWNER, file_id, "a", size, MIME, "00")
    assert await files.finish(file_id, OWNER, MIME, "file", None) is not None
    return file_id


async def sent(database: Database, file_id: str) -> str:
    """Sends the file in a new group; returns the message's id."""
    group = NewConversation(new_id(), "group", "t", OWNER, {OWNER: "admin", OTHER: "member"}, None)
    await PgConversations(database).create(group)
    return await sent_to(database, group.id, file_id)


async def sent_to(database: Database, room: str, file_id: str) -> str:
    draft = Draft(new_id(), room, OWNER, None, "text", "", None, None, None, None, None, [file_id])
    [verdict] = await PgMessages(database).store([draft])
    assert verdict.verdict == "stored", verdict
    assert verdict.attachments is not None
    assert verdict.attachments[0]["file_id"] == file_id
    return draft.id


async def due(database: Database, file_id: str) -> bool:
    rows = await database.rows(
        "SELECT due_at <= now() FROM messenger.files WHERE id = %s", (file_id,), user_id=SERVER
    )
    return bool(rows[0][0])


def age(url: str, hours: int) -> None:
    """Makes all files older, as the tables' owner."""
    sql = """
    UPDATE messenger.files SET created_at = created_at - make_interval(hours => %s),
                               due_at = due_at - make_interval(hours => %s)
    """
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql, (hours, hours))


async def test_a_quota_holds_when_many_files_come_at_once(files: PgFiles, database_url: str) -> None:
    async def add(size: int) -> bool:
        try:
            await files.add(OWNER, new_id(), "a", size, MIME, "00")
        except AppError as error:
            if error.kind is not errors.QUOTA_EXCEEDED:
                raise
            return False
        return True

    assert sum(await asyncio.gather(*(add(30) for _ in range(8)))) == 3
    assert [await add(size) for size in (11, 10, 1)] == [False, True, False]
    age(database_url, 25)
    assert await add(1)


async def test_a_request_that_comes_again_finds_its_file(files: PgFiles) -> None:
    file_id = new_id()
    for _ in range(7):
        await files.add(OWNER, file_id, "a", 60, MIME, "00")
    for kind in ("image", "file"):
        # Only the first completion says what the file is.
        file = await files.finish(file_id, OWNER, MIME, kind, None)
        assert (file and file.kind) == "image"
    assert await files.finish(file_id, OTHER, MIME, "file", None) is None


async def test_of_two_last_messages_that_go_at_once_one_ends_the_file(
    files: PgFiles, database: Database
) -> None:
    for _ in range(5):
        file_id = await ready(files)
        messages = [await sent(database, file_id) for _ in range(2)]
        assert not await due(database, file_id)
        await asyncio.gather(*(PgMessages(database).delete(id_, OWNER) for id_ in messages))
        assert await due(database, file_id)
        assert await files.find(file_id, OWNER) is None


async def test_an_unused_file_is_due_after_a_day_and_a_file_that_is_sent_is_not(
    files: PgFiles, database: Database, database_url: str
) -> None:
    unused, unfinished, used = await ready(files), new_id(), await ready(files)
    await files.add(OWNER, unfinished, "a", 1, MIME, "00")
    await sent(database, used)
    age(database_url, 23)
    assert await files.take_due(10) == []
    age(database_url, 2)
    assert await files.upload(unfinished) is None
    assert set(await files.take_due(10)) == {unused, unfinished}
    assert await files.take_due(10) == []
    assert await files.find(used, OTHER) is not None


async def test_a_batch_may_have_messages_with_files_and_without(files: PgFiles, database: Database) -> None:
    group = NewConversation(new_id(), "group", "t", OWNER, {OWNER: "admin", OTHER: "member"}, None)
    await PgConversations(database).create(group)
    one, two = await ready(files), await ready(files)
    given = [None, [one, two], [new_id()], None, [two]]
    drafts = [
        Draft(new_id(), group.id, OWNER, None, "text", "x", None, None, None, None, None, ids)
        for ids in given
    ]
    for _ in range(2):
        verdicts = await PgMessages(database).store(drafts)
        assert [verdict.verdict for verdict in verdicts[2:3]] == ["no_file"]
        stored = [verdict.attachments or [] for verdict in verdicts if verdict.verdict == "stored"]
        ids = [[file["file_id"] for file in attachments] for attachments in stored]
        # The second time, all that was stored is a repeat.
        assert ids in ([[], [one, two], [], [two]], [])
    page = await PgMessages(database).page(group.id, OTHER, 10, 10, forward=False)
    assert [len(message.get("attachments", [])) for message in page] == [1, 0, 2, 0]


async def test_what_is_being_sent_is_not_removed_and_what_is_removed_is_not_sent(
    files: PgFiles, database: Database, database_url: str
) -> None:
    file_id = await ready(files)
    first = await sent(database, file_id)
    await PgMessages(database).delete(first, OWNER)
    lock = "SELECT FROM messenger.files WHERE id = %s FOR NO KEY UPDATE"
    async with database.transaction(user_id=OWNER) as sending:
        await sending.rows(lock, (file_id,))
        assert await files.take_due(10) == []
    assert await files.take_due(10) == [file_id]
    group = NewConversation(new_id(), "group", "t", OWNER, {OWNER: "admin"}, None)
    await PgConversations(database).create(group)
    draft = Draft(new_id(), group.id, OWNER, None, "text", "", None, None, None, None, None, [file_id])
    [verdict] = await PgMessages(database).store([draft])
    assert verdict.verdict == "no_file"


async def test_a_removal_that_nobody_told_of_comes_again_and_its_row_ends_after_a_day(
    files: PgFiles, database: Database, database_url: str
) -> None:
    file_id = await ready(files)
    await PgMessages(database).delete(await sent(database, file_id), SERVER)
    for hours in (0, 1):
        age(database_url, hours)
        assert await files.take_due(10) == [file_id]
    await files.removed([file_id])
    assert await files.take_due(10) == []
    age(database_url, 24)
    assert await files.take_due(10) == [file_id]
    await files.removed([file_id])
    assert await database.rows("SELECT FROM messenger.files", user_id=SERVER) == []
