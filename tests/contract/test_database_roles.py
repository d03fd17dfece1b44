"""Checks roles, tables and functions in the catalogue; fails for a table without row-level security."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

from chat_api.storage.row_level_security import check_row_level_security
from messenger_shared.postgres import migrations
from tests.conftest import SharedStack
from tests.databases import logged_in

Row = tuple[Any, ...]
SERVICE_ROLES = ("messenger_chat", "messenger_presence")
ROLES = (*SERVICE_ROLES, "messenger_definer")
TABLES = """
SELECT c.oid, c.relname, c.relrowsecurity AND c.relforcerowsecurity AS is_enforced
  FROM pg_class c WHERE c.relnamespace = 'messenger'::regnamespace AND c.relkind IN ('r', 'p')
   AND c.relname <> 'migrations'
"""
FUNCTIONS = """
SELECT p.oid, p.proname, p.prosecdef, p.proacl, coalesce(p.proconfig, '{}') AS settings,
       pg_get_userbyid(p.proowner) AS owner
  FROM pg_proc p WHERE p.pronamespace IN ('messenger'::regnamespace, 'presence'::regnamespace)
"""


def query(url: str, sql: str, *parameters: Any) -> list[Row]:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description is not None else []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_passes_no_wall(database_url: str, role: str) -> None:
    attributes = "rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication"
    [found] = query(database_url, f"SELECT {attributes} FROM pg_roles WHERE rolname = %s", role)
    assert not any(found)
    assert query(database_url, "SELECT FROM pg_auth_members WHERE member = %s::regrole", role) == []


def test_nobody_logs_in_as_the_definer(database_url: str) -> None:
    [[can]] = query(database_url, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'messenger_definer'")
    assert not can


@pytest.mark.parametrize("role", SERVICE_ROLES)
def test_a_services_role_owns_nothing(database_url: str, role: str) -> None:
    owned = "SELECT FROM pg_shdepend WHERE refobjid = %s::regrole AND deptype = 'o'"
    assert query(database_url, owned, role) == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_makes_and_empties_nothing(database_url: str, role: str) -> None:
    tables = """
        SELECT c.oid::regclass::text FROM pg_class c
         WHERE c.relnamespace IN ('messenger'::regnamespace, 'presence'::regnamespace) AND c.relkind = 'r'
           AND has_table_privilege(%s, c.oid, 'TRUNCATE, REFERENCES, TRIGGER')
    """
    assert query(database_url, tables, role) == []
    schemas = "SELECT nspname FROM pg_namespace WHERE has_schema_privilege(%s, oid, 'CREATE')"
    assert query(database_url, schemas, role) == []
    [[creates]] = query(database_url, "SELECT has_database_privilege(%s, current_database(), 'CREATE')", role)
    assert not creates


def test_the_stacks_services_log_in_as_their_roles(stack: SharedStack) -> None:
    logins = """
        SELECT DISTINCT application_name, usename FROM pg_stat_activity
         WHERE datname = current_database() AND application_name IN ('chat-api', 'presence', 'feed')
    """
    assert set(query(stack.database_url, logins)) == {
        ("chat-api", "messenger_chat"),
        ("presence", "messenger_presence"),
        ("feed", "messenger_chat"),
    }


def test_presence_reaches_its_tables_and_no_other(database_url: str) -> None:
    reached = """
        SELECT c.oid::regclass::text FROM pg_class c
         WHERE c.relnamespace IN ('messenger'::regnamespace, 'presence'::regnamespace) AND c.relkind = 'r'
           AND has_any_column_privilege('messenger_presence', c.oid, 'SELECT, INSERT, UPDATE')
    """
    assert sorted(query(database_url, reached)) == [("presence.choices",), ("presence.last_seen",)]
    assert query(database_url, "SELECT has_schema_privilege('messenger_presence', 'messenger', 'USAGE')") == [
        (False,)
    ]


def test_every_table_is_behind_the_wall_without_exception_for_its_owner(database_url: str) -> None:
    unprotected = f"SELECT relname FROM ({TABLES}) t WHERE NOT is_enforced"
    assert query(database_url, unprotected) == []


def test_every_right_on_a_table_has_a_policy(database_url: str) -> None:
    uncovered = f"""
        SELECT t.relname, command
          FROM ({TABLES}) t, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS command
         WHERE (has_table_privilege('messenger_chat', t.oid, command)
                OR command <> 'DELETE' AND has_any_column_privilege('messenger_chat', t.oid, command))
           AND NOT EXISTS (SELECT FROM pg_policies p
                            WHERE p.schemaname = 'messenger' AND p.tablename = t.relname
                              AND p.roles = '{{messenger_chat}}' AND p.cmd IN (command, 'ALL'))
    """
    assert query(database_url, uncovered) == []
    open_to_all = (
        "SELECT tablename FROM pg_policies WHERE schemaname = 'messenger' AND 'public' = ANY (roles)"
    )
    assert query(database_url, open_to_all) == []


def test_what_looks_past_the_policies_is_the_definers_and_pinned(database_url: str) -> None:
    found = query(database_url, f"SELECT proname, settings, owner FROM ({FUNCTIONS}) f WHERE prosecdef")
    assert {name for name, _, _ in found} >= {"my_conversations", "send_messages", "heads"}
    for name, settings, owner in found:
        assert "search_path=messenger, pg_catalog, pg_temp" in settings, name
        assert owner == "messenger_definer", name


def test_no_function_is_everybodys(database_url: str) -> None:
    # A function without any list of rights may be executed by everybody.
    everybodys = f"""
        SELECT proname FROM ({FUNCTIONS}) f
         WHERE proacl IS NULL OR EXISTS (SELECT FROM aclexplode(proacl) a WHERE a.grantee = 0)
    """
    assert query(database_url, everybodys) == []


@pytest.fixture
def owner_url(stack: SharedStack) -> Iterator[str]:
    """Yields an empty database whose owner is a plain role that may create nothing else."""
    name, password = f"owner_{secrets.token_hex(8)}", secrets.token_hex(16)
    with closing(psycopg2.connect(stack.database_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"CREATE ROLE {name} LOGIN PASSWORD %s", (password,))
        cursor.execute(f"GRANT messenger_definer TO {name} WITH INHERIT FALSE, SET TRUE")
        cursor.execute(f"CREATE DATABASE {name} OWNER {name}")
        parts = urlsplit(stack.database_url)
        netloc = f"{name}:{password}@{parts.hostname}:{parts.port}"
        try:
            yield urlunsplit(parts._replace(netloc=netloc, path=f"/{name}"))
        finally:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
            cursor.execute(f"DROP ROLE {name}")


def test_an_owner_without_rights_of_its_own_is_enough_and_is_restricted_too(
    stack: SharedStack, owner_url: str
) -> None:
    for schema, package in (("messenger", "chat_api"), ("presence", "presence")):
        assert migrations.migrate(owner_url, schema, migrations.load(package))
    chat_url = stack.as_role(owner_url, "messenger_chat")
    id_, acting = "00000000-0000-7000-8000-00000000000c", "SELECT set_config('app.user_id', '1', true);"
    query(
        chat_url,
        acting + "INSERT INTO messenger.conversations (id, type, title, created_by, last_pos) "
        "VALUES (%s, 'group', 't', 1, 1);"
        "INSERT INTO messenger.conversation_participants (conversation_id, user_id, role, pos, joined_pos) "
        "VALUES (%s, 1, 'admin', 1, 1)",
        id_,
        id_,
    )
    draft = f'[{{"id": "{id_}", "conversation_id": "{id_}", "sender_id": 1, "type": "text", "content": "a"}}]'
    sent = query(chat_url, "SELECT verdict, seq FROM messenger.send_messages(%s)", draft)
    assert sent == [("stored", 1)]
    assert query(chat_url, acting + "SELECT content FROM messenger.messages") == [("a",)]
    assert query(owner_url, acting + "SELECT content FROM messenger.messages") == []


@pytest.mark.parametrize("is_enforced", [True, False])
async def test_who_is_above_the_wall_is_told_so(
    chat_database_url: str, database_url: str, is_enforced: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with logged_in(chat_database_url if is_enforced else database_url, 1) as database:
        assert await check_row_level_security(database) is is_enforced
    assert ("bypasses row-level security" in caplog.text) is not is_enforced
