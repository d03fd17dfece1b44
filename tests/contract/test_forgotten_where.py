"""A forgotten WHERE leaks nothing: runs every statement of chat-api's stores without its conditions.

First the stores do their work for a user who may do it, which records their statements with fitting
parameters. Then each statement runs for a stranger, without its conditions, in two databases: one holds a
conversation of others, the other never did. If the results differ, the stranger saw or changed others' data.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any, NamedTuple

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from chat_api import storage
from messenger_shared.postgres.database import Row, Transaction
from tests.conftest import SharedStack, new_database
from tests.contract.row_level_security_cases import ADMIN_FILE, MEMBER_FILE
from tests.contract.store_statements import run_all_statements
from tests.contract.test_row_level_security import (
    ADMIN,
    ADMIN_MESSAGE,
    HERE,
    MEMBER,
    NEW,
    SEED_ROWS,
    STRANGER,
    begin,
)
from tests.databases import logged_in

# The earlier text is one that the message really had. The lists are ordered by a time that all databases
# share.
PREPARED = f"""{SEED_ROWS}
INSERT INTO messenger.users (id, external_id, name) VALUES ({MEMBER}, 'm', 'member')
    ON CONFLICT (id) DO UPDATE SET external_id = 'm', name = 'member';
INSERT INTO messenger.user_words (word, user_id) VALUES ('member', {MEMBER});
INSERT INTO messenger.conversation_keys VALUES ('here', '{HERE}');
INSERT INTO messenger.server_keys (id, name, digest, scopes) VALUES ('k', 'n', '', '{{}}');
INSERT INTO messenger.server_audit (key_id, operation) VALUES ('k', 'o');
UPDATE messenger.messages SET version = 2, edited_at = now() WHERE id = '{ADMIN_MESSAGE}';
UPDATE messenger.conversations SET created_at = '2025-11-26';
"""
OTHERS_GONE = "".join(
    f"DELETE FROM messenger.{table} WHERE {column} = '{value}';"
    for table, column, value in (
        *(("reactions", "conversation_id", HERE), ("reaction_heads", "conversation_id", HERE)),
        *(("pins", "conversation_id", HERE), ("pin_heads", "conversation_id", HERE)),
        *(("file_links", "conversation_id", HERE), ("files", "id", ADMIN_FILE), ("files", "id", MEMBER_FILE)),
        *(("file_heads", "conversation_id", HERE), ("mentions", "conversation_id", HERE)),
        *(("push_decisions", "conversation_id", HERE), ("push_shown", "conversation_id", HERE)),
        *(("push_queue", "user_id", ADMIN), ("push_queue", "user_id", MEMBER)),
        *(("push_settings", "user_id", ADMIN), ("push_settings", "user_id", MEMBER)),
        *(("push_subscriptions", "user_id", ADMIN), ("push_subscriptions", "user_id", MEMBER)),
        *(("search_blocks", "conversation_id", HERE), ("feed_cursors", "conversation_id", HERE)),
        *(("message_versions", "message_id", ADMIN_MESSAGE), ("messages", "conversation_id", HERE)),
        *(("notification_settings", "conversation_id", HERE), ("read_receipts", "conversation_id", HERE)),
        *(("conversation_keys", "conversation_id", HERE), ("user_words", "user_id", MEMBER)),
        *(("event_log", "conversation_id", HERE), ("webhook_backlog", "conversation_id", HERE)),
        *(("webhook_attempts", "webhook_id", NEW), ("webhooks", "name", "w")),
        *(("server_keys", "id", "k"), ("server_audit", "key_id", "k"), ("users", "id", MEMBER)),
        *(("participant_absences", "conversation_id", HERE), ("unread_marks", "conversation_id", HERE)),
        ("conversation_participants", "conversation_id", HERE),
        ("conversations", "id", HERE),
    )
)
# These answer yes or no, and yes because of the stranger's own conversation. The first calls a function.
SHOW_NO_ROW = {
    "chat_api.storage.users._CONTACTS",
    "chat_api.storage.participants._HAS_OTHER_ADMIN",
    "chat_api.storage.row_level_security._UNBOUND",
    # Its condition is whether there is a time zone.
    "chat_api.storage.push._SET_QUIET_HOURS",
    # Their conditions are on what a function gives.
    "chat_api.storage.search._SCOPE",
    "chat_api.storage.search._NEWEST_BLOCKS",
    "chat_api.storage.search._NEXT_BLOCKS",
}
# The stores don't run this one. It answers with a place in the log, a new one each time.
NOT_IN_STORES = {"chat_api.storage.write_check.WRITE_CHECK"}
# The conditions at any level of a statement. One that is ORed with true has no effect.
CONDITION = re.compile(r"\b(?:WHERE|ON)\b(?! CONFLICT)")
SETTING = re.compile(r"SELECT set_config\('(?:app\.user_id|statement_timeout)'[^;]*;")
STATEMENT = re.compile(r"\s*(?:WITH|SELECT|INSERT|UPDATE|DELETE)\b")
A_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


class ExecutedStatement(NamedTuple):
    """A statement as PostgreSQL received it."""

    sql: str
    parameters: Any


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[ExecutedStatement]:
    """Returns the list that records the stores' statements from now on."""
    found: list[ExecutedStatement] = []
    rows = Transaction.rows

    async def recording_rows(self: Transaction, sql: str, parameters: Any = ()) -> list[Row]:
        found.append(ExecutedStatement(SETTING.sub("", sql), parameters))
        return await rows(self, sql, parameters)

    monkeypatch.setattr(Transaction, "rows", recording_rows)
    return found


class PreparedDatabase(NamedTuple):
    """A database, with connections as its owner and as chat-api."""

    owner: Connection
    chat: Connection


@pytest.fixture
def databases(
    stack: SharedStack, template_database: str
) -> Iterator[tuple[PreparedDatabase, PreparedDatabase]]:
    """Yields one database with the others' conversation, and one without."""
    with ExitStack() as exits:
        found = []
        for statements in (PREPARED, PREPARED + OTHERS_GONE):
            url = exits.enter_context(new_database(stack, template_database))
            owner = exits.enter_context(closing(psycopg2.connect(url)))
            with owner, owner.cursor() as cursor:
                cursor.execute(statements)
            chat = exits.enter_context(closing(psycopg2.connect(stack.as_role(url, "messenger_chat"))))
            found.append(PreparedDatabase(owner, chat))
        yield found[0], found[1]


def constants() -> dict[str, str]:
    """Returns the statements of all stores, by the name of their constant."""
    modules = [
        importlib.import_module(f"{storage.__name__}.{m.name}")
        for m in pkgutil.iter_modules(storage.__path__)
    ]
    return {
        f"{module.__name__}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, str) and name.isupper() and STATEMENT.match(value)
    }


def without_conditions(sql: str) -> list[str]:
    """Returns the statement without each one of its conditions, and without all of them."""
    places = [match.end() for match in CONDITION.finditer(sql)]
    alone = [f"{sql[:place]} true OR {sql[place:]}" for place in places]
    return [*alone, CONDITION.sub(lambda match: f"{match[0]} true OR", sql)] if places else []


def outcome(session: Connection, sql: str, parameters: Any) -> str:
    """Returns what the stranger gets, without times, and rolls the changes back."""
    begin(session, STRANGER)
    try:
        with session.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows = sorted(map(repr, cursor.fetchall())) if cursor.description else []
            return A_TIME.sub("", f"{cursor.rowcount} {rows}")
    except psycopg2.Error as error:
        return type(error).__name__
    finally:
        session.rollback()


async def test_a_statement_without_its_conditions_shows_and_changes_nothing_of_others(
    stack: SharedStack,
    database_url: str,
    executed: list[ExecutedStatement],
    databases: tuple[PreparedDatabase, PreparedDatabase],
) -> None:
    with closing(psycopg2.connect(database_url)) as owner, owner, owner.cursor() as cursor:
        cursor.execute(PREPARED)
    async with logged_in(stack.as_role(database_url, "messenger_chat"), 1) as database:
        await run_all_statements(database)
    known = {name: sql for name, sql in constants().items() if name not in NOT_IN_STORES}
    not_executed = [
        name for name, sql in known.items() if not any(sql in statement for statement, _ in executed)
    ]
    assert not not_executed, "`run_all_statements` has to make the stores say these"

    def differs(session: str, sql: str, parameters: Any) -> bool:
        """Whether the result differs between the two databases."""
        answers = {outcome(getattr(prepared, session), sql, parameters) for prepared in databases}
        return len(answers) > 1

    undetectable = set()
    for sql, parameters in dict(executed).items():
        attempts = without_conditions(sql)
        assert not [attempt for attempt in attempts if differs("chat", attempt, parameters)]
        # As the owner, without row-level security, a leak has to show; else the attempt proves nothing.
        if attempts and not any(differs("owner", attempt, parameters) for attempt in attempts):
            undetectable.add(sql)
    assert undetectable == {known[name] for name in SHOW_NO_ROW}
