"""The audit of the data: it accepts what the service wrote, and finds and names what is broken."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from chat_api.check import RULES

GROUP = str(uuid.uuid4())
DIRECT = str(uuid.uuid4())
MESSAGE = (
    "INSERT INTO messenger.messages (conversation_id, seq, id, pos, created_pos, sender_id, type, content)"
)
FILE = (
    "INSERT INTO messenger.files (id, owner_id, name, size, mime, state, upload_digest, due_at) "
    f"VALUES ('{GROUP}', 1, 'a', 1, 'text/plain', 'ready', '', NULL)"
)
LINKED = (
    f"INSERT INTO messenger.file_links SELECT id, 1, '{GROUP}', conversation_id FROM messenger.messages "
    f"WHERE seq = 3 AND conversation_id = '{GROUP}'"
)
MENTION = (
    f"INSERT INTO messenger.mentions (conversation_id, seq, sender_id, user_id) VALUES ('{GROUP}', 1, 1, "
)
MENTIONING = (
    """UPDATE messenger.messages SET mentions = '{{"mentions": {{"user_ids": [{}], "all": false}}}}' """
    f"WHERE conversation_id = '{GROUP}' AND seq = 1"
)

# Each statement breaks the rule that is its key.
HARM = {
    "last_seq is the seq of the last message": "UPDATE messenger.conversations SET last_seq = 1",
    "seq has no holes": "DELETE FROM messenger.messages WHERE seq = 2",
    "no pos is above last_pos": "UPDATE messenger.conversations SET last_pos = 2",
    "a row has the pos last_pos": "UPDATE messenger.conversations SET last_pos = 6",
    "no two messages have the same pos": "ALTER TABLE messenger.messages DROP CONSTRAINT "
    "messages_conversation_id_pos_key; UPDATE messenger.messages SET pos = 5",
    "only members who joined together share a pos": "UPDATE "
    "messenger.conversation_participants SET pos = 5 WHERE user_id = 2",
    "no read position is above last_seq": "UPDATE messenger.read_receipts SET last_read_seq = 9",
    "every read position belongs to a present or former member": "INSERT INTO "
    f"messenger.read_receipts VALUES ('{GROUP}', 7, 0)",
    "every message belongs to a conversation, and its sender was a member or the system": "UPDATE "
    "messenger.messages SET sender_id = 7",
    "every mention is one of a message that is not deleted and mentions that user": MENTION + "2)",
    "every user whom a message mentions has that mention": MENTIONING.format(2),
    "every mentioned user is a present or former member": f"{MENTIONING.format(7)}; {MENTION}7)",
    "every membership belongs to a conversation": "INSERT INTO messenger.conversation_participants "
    f"(conversation_id, user_id, role, pos, joined_pos) VALUES ('{uuid.uuid4()}', 1, 'member', 1, 1)",
    "no deleted message has files": f"{FILE}; {LINKED}; "
    "UPDATE messenger.messages SET deleted_at = now() WHERE seq = 3",
    "a message carries the files that are linked to it": "UPDATE messenger.messages SET attachments = '[{}]'",
    "a message carries the present state of its files": f"{FILE}; {LINKED}; UPDATE messenger.messages "
    """SET attachments = '[{"state": "pending"}]' WHERE seq = 3 AND """
    f"conversation_id = '{GROUP}'",
    "a file that is pending is in the queue of those that are examined": FILE.replace(
        "'ready', '', NULL", "'pending', '', now()"
    ),
    "a file of a message is kept, and any other is to be removed": FILE,
    "a deleted conversation has no members, and a direct conversation has two, or one with oneself": "UPDATE "
    "messenger.conversation_participants SET left_at = now() "
    f"WHERE conversation_id = '{DIRECT}' AND user_id = 2",
}
REPAIRABLE = {rule.name for rule in RULES if rule.repair}


@pytest.fixture
def owner(database_url: str) -> Iterator[Connection]:
    """Yields a database in which two users talk, in a group and in a direct conversation."""
    connection = psycopg2.connect(database_url)
    connection.autocommit = True
    # Foreign keys would prevent some of the damage.
    execute(connection, "SET session_replication_role = replica")
    for id_, type_ in ((GROUP, "group"), (DIRECT, "direct")):
        execute(
            connection,
            "INSERT INTO messenger.conversations (id, type, created_by, last_seq, last_pos) "
            f"VALUES ('{id_}', '{type_}', 1, 3, 5)",
        )
        for user in (1, 2):
            execute(
                connection,
                "INSERT INTO messenger.conversation_participants "
                "(conversation_id, user_id, role, pos, joined_pos) "
                f"VALUES ('{id_}', {user}, 'member', {user}, {user})",
            )
        for seq in (1, 2, 3):
            row = f"('{id_}', {seq}, '{uuid.uuid4()}', {seq + 2}, {seq + 2}, 1, 'text', 'x')"
            execute(connection, f"{MESSAGE} VALUES {row}")
        execute(connection, f"INSERT INTO messenger.read_receipts VALUES ('{id_}', 2, 3)")
    yield connection
    connection.close()


def execute(connection: Connection, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def check(url: str, *arguments: str, stdin: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chat_api.check", *arguments]
    env = {**os.environ, "MESSENGER_DATABASE_URL": url}
    lines = "".join(f"{line}\n" for line in stdin)
    return subprocess.run(
        command, env=env, input=lines, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.usefixtures("owner")
def test_whole_data_have_no_finding(database_url: str) -> None:
    done = check(database_url)
    assert (done.returncode, done.stdout) == (0, f"{len(RULES)} rules, 0 findings\n"), done.stderr


def test_notes_to_self_have_one_member_and_who_came_together_share_a_pos(
    owner: Connection, database_url: str
) -> None:
    execute(owner, f"UPDATE messenger.conversations SET direct_key = '1:1' WHERE id = '{DIRECT}'")
    assert "direct" in check(database_url).stdout
    execute(owner, f"DELETE FROM messenger.read_receipts WHERE conversation_id = '{DIRECT}'")
    gone = f"WHERE conversation_id = '{DIRECT}' AND user_id = 2"
    execute(owner, f"DELETE FROM messenger.conversation_participants {gone}")
    execute(owner, "UPDATE messenger.conversation_participants SET pos = 2, joined_pos = 2")
    assert check(database_url).returncode == 0, check(database_url).stdout


def test_there_is_a_case_for_each_rule() -> None:
    assert HARM.keys() == {rule.name for rule in RULES}


@pytest.mark.parametrize("rule", HARM)
def test_what_is_broken_is_named_and_only_repaired_when_asked(
    owner: Connection, database_url: str, rule: str
) -> None:
    execute(owner, HARM[rule])
    for _ in range(2):
        done = check(database_url)
        assert done.returncode == 1, done.stderr
        assert f"violated: {rule}: " in done.stdout
        assert "repaired" not in done.stdout
    if rule in REPAIRABLE:
        assert f"repaired: {rule}: " in check(database_url, "--repair").stdout
        assert check(database_url).returncode == 0


def test_files_and_the_folder_with_their_bytes_are_compared_both_ways(
    owner: Connection, database_url: str, tmp_path: Path
) -> None:
    execute(owner, FILE.replace("NULL", "now()"))
    lost, orphan, part = str(GROUP), str(uuid.uuid4()), str(uuid.uuid4())
    thumbless, thumb = str(uuid.uuid4()), f"thumbs/{lost[-2:]}"
    for folder in (f"ready/{lost[-2:]}", f"ready/{orphan[-2:]}", "parts", thumb):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    bytes_ = tmp_path / "ready" / lost[-2:] / lost
    bytes_.write_bytes(b"x")
    (tmp_path / thumb / f"{lost}-320").write_bytes(b"x")
    assert check(database_url, "--files", str(tmp_path)).returncode == 0
    bytes_.write_bytes(b"")
    (tmp_path / "ready" / orphan[-2:] / orphan).write_bytes(b"x")
    (tmp_path / "parts" / f"{part}.new").write_bytes(b"x")
    (tmp_path / thumb / f"{thumbless}-840").write_bytes(b"x")
    done = check(database_url, "--files", str(tmp_path))
    assert done.returncode == 1
    assert f"violated: every file has its bytes: {lost}\n" in done.stdout
    for name in (orphan, part, thumbless):
        assert f"violated: all bytes belong to a file: {name}\n" in done.stdout


def test_files_and_the_bucket_with_their_bytes_are_compared_both_ways(
    owner: Connection, database_url: str
) -> None:
    execute(owner, FILE.replace("NULL", "now()"))
    lost, orphan, upload, thumb = (str(GROUP), *(str(uuid.uuid4()) for _ in range(3)))
    good = [f"1 files/{lost}", f"7 files/{lost}-320", "end"]
    assert check(database_url, "--objects", stdin=good).returncode == 0
    bad = [f"2 files/{lost}", f"1 files/{orphan}", f"- files/{upload}", f"1 files/{thumb}-840", "end"]
    done = check(database_url, "--objects", stdin=bad)
    assert done.returncode == 1
    assert f"violated: every file has its bytes: {lost}\n" in done.stdout
    for name in (orphan, upload, thumb):
        assert f"violated: all bytes belong to a file: {name}\n" in done.stdout
    cut = check(database_url, "--objects", stdin=good[:-1])
    assert (cut.returncode, cut.stderr) == (
        1,
        "the audit failed: the listing of the bucket is not complete\n",
    )


def test_a_database_that_is_away_is_one_line() -> None:
    done = check("postgresql://nobody@127.0.0.1:1/none")
    assert done.returncode == 1
    assert done.stderr.startswith("the audit failed: ")
    assert done.stderr.count("\n") == 1
