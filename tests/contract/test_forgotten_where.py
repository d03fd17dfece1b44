"""A forgotten WHERE leaks nothing: every statement of chat-api's stores, with its conditions taken out.

The stores do their work once for somebody who may, which shows their statements with parameters that fit.
Each is then run for a stranger without its conditions, in two databases: in one there is a conversation of
others, in the other there never was. Whoever can tell the two apart has seen, or changed, what isn't his.
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
from chat_api.model import Draft, NewConversation
from chat_api.storage.changes import PgChanges
from chat_api.storage.contacts import PgContacts
from chat_api.storage.conversations import PgConversations
from chat_api.storage.messages import PgMessages
from chat_api.storage.operators import PgOperators
from chat_api.storage.participants import PgParticipants
from chat_api.storage.receipts import PgReceipts
from chat_api.storage.settings import PgSettings
from chat_api.storage.wall import look_at_wall
from messenger_shared.postgres import Database, Row, Transaction
from tests.conftest import SharedStack, new_database
from tests.contract.test_row_level_security import (
    ADMIN,
    HERE,
    MEMBER,
    NEW,
    OF_ADMIN,
    SEEDED,
    STRANGER,
    begin,
)
from tests.databases import logged_in

OUTSIDER = 5
DIRECT = "00000000-0000-7000-8000-00000000000f"
# The earlier text of it is one that it really had; the lists' order is by a time that all databases share.
PREPARED = f"""{SEEDED}
UPDATE messenger.messages SET version = 2, edited_at = now() WHERE id = '{OF_ADMIN}';
UPDATE messenger.conversations SET created_at = '2025-11-26';
"""
OTHERS_GONE = "".join(
    f"DELETE FROM messenger.{table} WHERE {column} = '{value}';"
    for table, column, value in (
        *(("message_versions", "message_id", OF_ADMIN), ("messages", "conversation_id", HERE)),
        *(("notification_settings", "conversation_id", HERE), ("read_receipts", "conversation_id", HERE)),
        ("participant_absences", "conversation_id", HERE),
        ("conversation_participants", "conversation_id", HERE),
        ("conversations", "id", HERE),
    )
)
# These say yes or no, and the stranger's own conversation makes that a yes.
SHOW_NO_ROW = {"chat_api.storage.participants._HAS_OTHER_ADMIN", "chat_api.storage.wall._UNBOUND"}
# At any level of a statement: what is ORed with truth is as if it weren't there.
CONDITION = re.compile(r"\b(?:WHERE|ON)\b(?! CONFLICT)")
ACTING = re.compile(r"SELECT set_config\('app\.user_id'[^;]*;")
STATEMENT = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE)\b")
A_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


class Said(NamedTuple):
    """A statement as PostgreSQL got it."""

    sql: str
    parameters: Any


async def work(database: Database) -> None:
    """All that the stores do, for who may."""
    await look_at_wall(database)
    await work_on_messages(database)
    await work_on_conversations(database)
    participants, settings = PgParticipants(database), PgSettings(database)
    contacts = PgContacts(database)
    await participants.add(HERE, ADMIN, [OUTSIDER], "admin")
    await participants.set_role(HERE, ADMIN, OUTSIDER, "member")
    await participants.page(HERE, ADMIN, 0, 10)
    await participants.one(HERE, ADMIN, MEMBER)
    await participants.remove(HERE, ADMIN, OUTSIDER)
    await participants.leave(DIRECT, ADMIN)
    await settings.update(HERE, ADMIN, {"muted": True})
    await settings.get(HERE, ADMIN)
    await contacts.among(ADMIN, [MEMBER, STRANGER])
    await contacts.page(ADMIN, 0, 10)
    # Last, for nobody is left after it.
    operators = PgOperators(database)
    await operators.post(HERE, DIRECT, "x")
    await operators.close(HERE)


async def work_on_messages(database: Database) -> None:
    """Also twice, where that is another way."""
    messages, receipts = PgMessages(database), PgReceipts(database)
    await messages.store([Draft(NEW, HERE, ADMIN, "c", "text", "x", None, None, None, None)])
    await messages.sent([OF_ADMIN], [ADMIN])
    for forward in (False, True):
        await messages.page(HERE, ADMIN, 2, 10, forward)
    for _ in range(2):
        await messages.edit(OF_ADMIN, ADMIN, "y", None)
    await messages.versions(OF_ADMIN, ADMIN, 0, 10)
    await messages.facts(OF_ADMIN, ADMIN)
    for _ in range(2):
        await messages.delete(OF_ADMIN, ADMIN)
    await receipts.read(HERE, ADMIN, 2)
    await receipts.readers(HERE, ADMIN, 1, ADMIN, 0, 10)


async def work_on_conversations(database: Database) -> None:
    """And on what happened in them."""
    conversations, changes = PgConversations(database), PgChanges(database)
    group = NewConversation(NEW, "group", "t", ADMIN, {ADMIN: "admin", MEMBER: "member"}, None)
    direct = NewConversation(DIRECT, "direct", None, ADMIN, {ADMIN: "member", MEMBER: "member"}, "1:2")
    for new in (group, group, direct):
        await conversations.create(new)
    await conversations.describe(HERE, ADMIN)
    await conversations.rename(HERE, ADMIN, "another")
    await conversations.membership(HERE, ADMIN)
    await conversations.list_for(ADMIN, None, 10)
    await conversations.standings(ADMIN, None, 10)
    await conversations.memberships([ADMIN])
    await conversations.member_ids(HERE, ADMIN, 10)
    await conversations.heads([HERE])
    for caller in (ADMIN, 0):
        await changes.missed(HERE, caller, 0, 10)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[Said]:
    """What the stores say from now on."""
    found: list[Said] = []
    rows = Transaction.rows

    async def overheard(self: Transaction, sql: str, parameters: Any = ()) -> list[Row]:
        found.append(Said(ACTING.sub("", sql), parameters))
        return await rows(self, sql, parameters)

    monkeypatch.setattr(Transaction, "rows", overheard)
    return found


class World(NamedTuple):
    """A database, as its owner sees it and as chat-api does."""

    owner: Connection
    chat: Connection


@pytest.fixture
def worlds(stack: SharedStack, template_database: str) -> Iterator[tuple[World, World]]:
    """One with the others' conversation, and one without."""
    with ExitStack() as exits:
        found = []
        for statements in (PREPARED, PREPARED + OTHERS_GONE):
            url = exits.enter_context(new_database(stack, template_database))
            owner = exits.enter_context(closing(psycopg2.connect(url)))
            with owner, owner.cursor() as cursor:
                cursor.execute(statements)
            chat = exits.enter_context(closing(psycopg2.connect(stack.as_role(url, "messenger_chat"))))
            found.append(World(owner, chat))
        yield found[0], found[1]


def constants() -> dict[str, str]:
    """The statements of all stores, by where they are."""
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


def forgetful(sql: str) -> list[str]:
    """The statement without each one of its conditions, and without all of them."""
    places = [match.end() for match in CONDITION.finditer(sql)]
    alone = [f"{sql[:place]} true OR {sql[place:]}" for place in places]
    return [*alone, CONDITION.sub(lambda match: f"{match[0]} true OR", sql)] if places else []


def outcome(session: Connection, sql: str, parameters: Any) -> str:
    """What the stranger gets, whenever it was; nothing of it stays."""
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
    stack: SharedStack, database_url: str, said: list[Said], worlds: tuple[World, World]
) -> None:
    with closing(psycopg2.connect(database_url)) as owner, owner, owner.cursor() as cursor:
        cursor.execute(PREPARED)
    async with logged_in(stack.as_role(database_url, "messenger_chat"), 1) as database:
        await work(database)
    known = constants()
    unsaid = [name for name, sql in known.items() if not any(sql in statement for statement, _ in said)]
    assert not unsaid, "`work` has to make the stores say these"

    def can_tell(session: str, sql: str, parameters: Any) -> bool:
        """Whether it comes out differently where the others are."""
        answers = {outcome(getattr(world, session), sql, parameters) for world in worlds}
        return len(answers) > 1

    blind = set()
    for sql, parameters in dict(said).items():
        attempts = forgetful(sql)
        assert not [attempt for attempt in attempts if can_tell("chat", attempt, parameters)]
        # Above the wall a leak shows: so it would here.
        if attempts and not any(can_tell("owner", attempt, parameters) for attempt in attempts):
            blind.add(sql)
    assert blind == {known[name] for name in SHOW_NO_ROW}
