"""Row-level security: what each table shows and accepts for chat-api's role, whatever a statement forgets."""

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
from tests.contract.row_level_security_cases import (
    ADMIN,
    ADMIN_MESSAGE,
    COMMANDS,
    EXPECTED_ROWS,
    HERE,
    LEFT,
    MEMBER,
    NEW,
    NOT_GRANTED,
    OBSERVER,
    SEED_ROWS,
    STATEMENTS,
    STRANGER,
)


@pytest.fixture(scope="module")
def url(stack: SharedStack, template_database: str) -> Iterator[str]:
    """Yields the URL of a seeded database for its owner; the tests leave it as it is."""
    with new_database(stack, template_database) as url:
        with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(SEED_ROWS)
        yield url


@pytest.fixture(scope="module")
def session(stack: SharedStack, url: str) -> Iterator[Connection]:
    """Yields one login with the service's role, kept for all tests as in a pool."""
    with closing(psycopg2.connect(stack.as_role(url, "messenger_chat"))) as connection:
        yield connection


def begin(session: Connection, user_id: int | None) -> None:
    """Begins a transaction for a user, as chat-api does."""
    if user_id is not None:
        with session.cursor() as cursor:
            cursor.execute("SELECT set_config('app.user_id', %s, true)", (str(user_id),))


def rows_of(session: Connection, user_id: int | None, *statements: str) -> int | str:
    """Returns how many rows the last statement found or changed, or `refused`; rolls everything back."""
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
    """The acting user, and what happened on the connection before."""

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
        assert found == EXPECTED_ROWS[table][command]
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
        cursor.execute("SELECT messenger.conversation_of(%s)::text", (ADMIN_MESSAGE,))
        assert cursor.fetchone() == (expected,)
    session.rollback()


@pytest.mark.parametrize("statement", ["TRUNCATE messenger.messages", "CREATE TABLE messenger.own (x int)"])
def test_the_role_empties_and_makes_no_table(session: Connection, statement: str) -> None:
    assert rows_of(session, ADMIN, statement) == "refused"


def test_a_setting_that_is_no_user_is_an_error(session: Connection) -> None:
    with session.cursor() as cursor, pytest.raises(psycopg2.DataError):
        cursor.execute("SELECT set_config('app.user_id', 'x', true); SELECT FROM messenger.messages")
    session.rollback()
