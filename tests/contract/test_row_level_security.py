"""The second wall: what each table shows and takes, as chat-api's own role, whatever a statement forgets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import psycopg2
import pytest
from psycopg2.errors import DivisionByZero, InsufficientPrivilege
from psycopg2.extensions import connection as Connection

from tests.conftest import SharedStack, new_database

ADMIN, MEMBER, OBSERVER, LEFT, STRANGER = 1, 2, 3, 4, 9
HERE = "00000000-0000-7000-8000-00000000000c"
ELSEWHERE = "00000000-0000-7000-8000-00000000000d"
NEW = "00000000-0000-7000-8000-00000000000e"
OF_ADMIN = "00000000-0000-7000-8000-0000000000a1"
OF_LEFT = "00000000-0000-7000-8000-0000000000a2"
SEEDED = f"""
INSERT INTO messenger.conversations (id, type, title, created_by, last_seq, last_pos)
VALUES ('{HERE}', 'group', 't', {ADMIN}, 2, 4), ('{ELSEWHERE}', 'group', 't', {STRANGER}, 0, 1);
INSERT INTO messenger.conversation_participants (conversation_id, user_id, role, pos, joined_pos, left_at)
VALUES ('{HERE}', {ADMIN}, 'admin', 1, 1, NULL), ('{HERE}', {MEMBER}, 'member', 1, 1, NULL),
       ('{HERE}', {OBSERVER}, 'observer', 1, 1, NULL), ('{HERE}', {LEFT}, 'member', 4, 1, now()),
       ('{ELSEWHERE}', {STRANGER}, 'admin', 1, 1, NULL);
INSERT INTO messenger.participant_absences VALUES ('{HERE}', {ADMIN}, 0, 0), ('{HERE}', {LEFT}, 2, 9);
INSERT INTO messenger.messages (conversation_id, seq, id, pos, created_pos, sender_id, type, content)
VALUES ('{HERE}', 1, '{OF_ADMIN}', 2, 2, {ADMIN}, 'text', 'a'),
       ('{HERE}', 2, '{OF_LEFT}', 3, 3, {LEFT}, 'text', 'b');
INSERT INTO messenger.message_versions VALUES ('{OF_ADMIN}', 1, 'earlier', now());
INSERT INTO messenger.read_receipts (conversation_id, user_id, last_read_seq)
VALUES ('{HERE}', {ADMIN}, 1), ('{HERE}', {MEMBER}, 1), ('{HERE}', {LEFT}, 1);
INSERT INTO messenger.notification_settings (user_id, conversation_id)
VALUES ({ADMIN}, '{HERE}'), ({MEMBER}, '{HERE}');
"""


@pytest.fixture(scope="module")
def url(stack: SharedStack, template_database: str) -> Iterator[str]:
    """A seeded database for its owner; the tests leave it as it is."""
    with new_database(stack, template_database) as url:
        with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(SEEDED)
        yield url


@pytest.fixture(scope="module")
def session(stack: SharedStack, url: str) -> Iterator[Connection]:
    """One login as the service's role; it stays, as in a pool."""
    with closing(psycopg2.connect(stack.as_role(url, "messenger_chat"))) as connection:
        yield connection


def begin(session: Connection, user_id: int | None) -> None:
    """Begins a transaction for a user, the way chat-api does it."""
    if user_id is not None:
        with session.cursor() as cursor:
            cursor.execute("SELECT set_config('app.user_id', %s, true)", (str(user_id),))


def rows_of(session: Connection, user_id: int | None, *statements: str) -> int | str:
    """How many rows the last statement found or changed, or `refused`; nothing of it stays."""
    begin(session, user_id)
    try:
        with session.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.rowcount
    except InsufficientPrivilege:
        return "refused"
    finally:
        session.rollback()


# Table -> what is tried on it, by command, for the admin of HERE who has a row in each.
STATEMENTS = {
    "conversations": {
        "select": f"SELECT FROM messenger.conversations WHERE id = '{HERE}'",
        "insert": "INSERT INTO messenger.conversations (id, type, title, created_by) "
        f"VALUES ('{NEW}', 'group', 't', {ADMIN})",
        "update": f"UPDATE messenger.conversations SET title = 'x' WHERE id = '{HERE}'",
        "delete": f"DELETE FROM messenger.conversations WHERE id = '{HERE}'",
    },
    "conversation_participants": {
        "select": f"SELECT FROM messenger.conversation_participants WHERE conversation_id = '{HERE}'",
        "insert": "INSERT INTO messenger.conversation_participants "
        f"(conversation_id, user_id, role, pos, joined_pos) VALUES ('{HERE}', 5, 'member', 5, 5)",
        "update": "UPDATE messenger.conversation_participants SET role = 'observer' "
        f"WHERE conversation_id = '{HERE}' AND user_id = {MEMBER}",
        "delete": f"DELETE FROM messenger.conversation_participants WHERE conversation_id = '{HERE}'",
    },
    "participant_absences": {
        "select": f"SELECT FROM messenger.participant_absences WHERE conversation_id = '{HERE}'",
        "insert": f"INSERT INTO messenger.participant_absences VALUES ('{HERE}', {ADMIN}, 5, 6)",
        "update": f"UPDATE messenger.participant_absences SET to_seq = 7 WHERE conversation_id = '{HERE}'",
        "delete": f"DELETE FROM messenger.participant_absences WHERE conversation_id = '{HERE}'",
    },
    "messages": {
        "select": f"SELECT FROM messenger.messages WHERE conversation_id = '{HERE}'",
        "insert": "INSERT INTO messenger.messages "
        "(conversation_id, seq, id, pos, created_pos, sender_id, type, content) "
        f"VALUES ('{HERE}', 3, '{NEW}', 5, 5, {ADMIN}, 'text', 'c')",
        "update": f"UPDATE messenger.messages SET content = 'x' WHERE conversation_id = '{HERE}'",
        "delete": f"DELETE FROM messenger.messages WHERE conversation_id = '{HERE}'",
    },
    "message_versions": {
        "select": f"SELECT FROM messenger.message_versions WHERE message_id = '{OF_ADMIN}'",
        "insert": f"INSERT INTO messenger.message_versions VALUES ('{OF_ADMIN}', 2, 'later', now())",
        "update": f"UPDATE messenger.message_versions SET content = 'x' WHERE message_id = '{OF_ADMIN}'",
        "delete": f"DELETE FROM messenger.message_versions WHERE message_id = '{OF_ADMIN}'",
    },
    "read_receipts": {
        "select": f"SELECT FROM messenger.read_receipts WHERE conversation_id = '{HERE}'",
        "insert": "INSERT INTO messenger.read_receipts (conversation_id, user_id, last_read_seq) "
        f"VALUES ('{HERE}', {OBSERVER}, 1)",
        "update": "UPDATE messenger.read_receipts SET last_read_seq = 2 "
        f"WHERE conversation_id = '{HERE}' AND user_id = {ADMIN}",
        "delete": f"DELETE FROM messenger.read_receipts WHERE conversation_id = '{HERE}'",
    },
    "notification_settings": {
        "select": f"SELECT FROM messenger.notification_settings WHERE conversation_id = '{HERE}'",
        "insert": "INSERT INTO messenger.notification_settings (user_id, conversation_id) "
        f"VALUES ({ADMIN}, '{ELSEWHERE}')",
        "update": f"UPDATE messenger.notification_settings SET muted = true WHERE conversation_id = '{HERE}'",
        "delete": f"DELETE FROM messenger.notification_settings WHERE conversation_id = '{HERE}'",
    },
}
COMMANDS = ("select", "insert", "update", "delete")
NOT_GRANTED = {
    *(
        (table, "delete")
        for table in STATEMENTS
        if table not in ("message_versions", "notification_settings")
    ),
    ("messages", "insert"),
    ("message_versions", "update"),
}
# How many rows the right user finds or changes.
RIGHT = {
    "conversations": {"select": 1, "insert": 1, "update": 1},
    "conversation_participants": {"select": 4, "insert": 1, "update": 1},
    "participant_absences": {"select": 2, "insert": 1, "update": 2},
    "messages": {"select": 2, "update": 2},
    "message_versions": {"select": 1, "insert": 1, "delete": 1},
    "read_receipts": {"select": 3, "insert": 1, "update": 1},
    "notification_settings": {"select": 1, "insert": 1, "update": 1, "delete": 1},
}


def after_commit(session: Connection) -> None:
    begin(session, ADMIN)
    session.commit()


def after_error(session: Connection) -> None:
    begin(session, ADMIN)
    with session.cursor() as cursor, pytest.raises(DivisionByZero):
        cursor.execute("SELECT 1 / 0")
    session.rollback()


@dataclass(frozen=True, slots=True)
class Situation:
    """Who acts, and what happened on the connection before."""

    name: str
    user_id: int | None = None
    before: Callable[[Connection], None] | None = None


SITUATIONS = (
    Situation("no user"),
    Situation("wrong user", STRANGER),
    Situation("right user", ADMIN),
    Situation("after the right user's commit", before=after_commit),
    Situation("after the right user's error", before=after_error),
)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
@pytest.mark.parametrize(("table", "command"), [*itertools.product(STATEMENTS, COMMANDS)])
def test_a_table_shows_and_takes_what_is_the_users(
    session: Connection, table: str, command: str, situation: Situation
) -> None:
    if situation.before is not None:
        situation.before(session)
    found = rows_of(session, situation.user_id, STATEMENTS[table][command])
    if (table, command) in NOT_GRANTED:
        assert found == "refused"
    elif situation.user_id == ADMIN:
        assert found == RIGHT[table][command]
    else:
        assert found == ("refused" if command == "insert" else 0)


PARTICIPANT = (
    "INSERT INTO messenger.conversation_participants (conversation_id, user_id, role, pos, joined_pos) "
)
CREATE = (
    "INSERT INTO messenger.conversations (id, type, created_by, last_pos, direct_key) "
    f"VALUES ('{NEW}', 'direct', {MEMBER}, 1, '2:5')"
)
FILL = PARTICIPANT + f"VALUES ('{NEW}', {MEMBER}, 'member', 1, 1), ('{NEW}', 5, 'member', 1, 1)"
THIRD = PARTICIPANT + f"VALUES ('{NEW}', 6, 'member', 2, 2)"
UPDATE = "UPDATE messenger."


@pytest.mark.parametrize(
    ("what", "user_id", "expected", "statements"),
    [
        ("a creator fills his conversation", MEMBER, 2, (CREATE, FILL)),
        ("once", MEMBER, "refused", (CREATE, FILL, THIRD)),
        ("nobody creates for another", ADMIN, "refused", (CREATE,)),
        ("a member adds nobody", MEMBER, "refused", (STATEMENTS["conversation_participants"]["insert"],)),
        (
            "a member changes no other member",
            MEMBER,
            0,
            (UPDATE + f"conversation_participants SET role = 'admin' WHERE user_id = {OBSERVER}",),
        ),
        (
            "a member leaves",
            MEMBER,
            1,
            (UPDATE + f"conversation_participants SET left_at = now() WHERE user_id = {MEMBER}",),
        ),
        (
            "a member begins his absence",
            MEMBER,
            1,
            (f"INSERT INTO messenger.participant_absences VALUES ('{HERE}', {MEMBER}, 2, 9)",),
        ),
        (
            "and no other's",
            MEMBER,
            "refused",
            (f"INSERT INTO messenger.participant_absences VALUES ('{HERE}', {OBSERVER}, 2, 9)",),
        ),
        ("a member sees no other's absence", MEMBER, 0, ("SELECT FROM messenger.participant_absences",)),
        (
            "a member moves no other's position",
            MEMBER,
            0,
            (UPDATE + f"read_receipts SET last_read_seq = 9 WHERE user_id = {ADMIN}",),
        ),
        ("a member sees his settings alone", MEMBER, 1, ("SELECT FROM messenger.notification_settings",)),
        ("an observer reads", OBSERVER, 2, ("SELECT FROM messenger.messages",)),
        ("who left sees that he was there", LEFT, 1, ("SELECT FROM messenger.conversations",)),
        ("and nobody else there", LEFT, 1, ("SELECT FROM messenger.conversation_participants",)),
        ("and his own messages", LEFT, 1, ("SELECT FROM messenger.messages",)),
        ("and changes none", LEFT, 0, (UPDATE + "messages SET content = 'x'",)),
        ("nor the conversation", LEFT, 0, (UPDATE + "conversations SET title = 'x'",)),
        (
            "nor his position",
            LEFT,
            0,
            (UPDATE + f"read_receipts SET last_read_seq = 2 WHERE user_id = {LEFT}",),
        ),
        ("nobody changes who sent it", ADMIN, "refused", (UPDATE + "messages SET sender_id = 2",)),
        ("nor its number", ADMIN, "refused", (UPDATE + "messages SET seq = 7",)),
        ("nor who created it", ADMIN, "refused", (UPDATE + "conversations SET created_by = 2",)),
        ("the record of migrations", ADMIN, "refused", ("SELECT FROM messenger.migrations",)),
    ],
)
def test_what_somebody_may_is_all_he_may(
    session: Connection, what: str, user_id: int, expected: int | str, statements: tuple[str, ...]
) -> None:
    assert rows_of(session, user_id, *statements) == expected


@pytest.mark.parametrize(
    ("user_id", "expected"),
    [(ADMIN, HERE), (LEFT, HERE), (STRANGER, None), (None, None)],
)
def test_where_a_message_is_learns_who_is_or_was_there(
    session: Connection, user_id: int | None, expected: str | None
) -> None:
    begin(session, user_id)
    with session.cursor() as cursor:
        cursor.execute("SELECT messenger.conversation_of(%s)::text", (OF_ADMIN,))
        assert cursor.fetchone() == (expected,)
    session.rollback()


@pytest.mark.parametrize("statement", ["TRUNCATE messenger.messages", "CREATE TABLE messenger.own (x int)"])
def test_the_role_empties_and_makes_no_table(session: Connection, statement: str) -> None:
    assert rows_of(session, ADMIN, statement) == "refused"


def test_a_setting_that_is_no_user_is_an_error(session: Connection) -> None:
    with session.cursor() as cursor, pytest.raises(psycopg2.DataError):
        cursor.execute("SELECT set_config('app.user_id', 'x', true); SELECT FROM messenger.messages")
    session.rollback()
