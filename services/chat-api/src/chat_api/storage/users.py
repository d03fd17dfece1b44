"""Reads and writes users. Migration 0008 has the SQL functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from chat_api.model import Admitted, Profile, Upserted, UserData, user_data
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.contract.text.fold import words
from messenger_shared.postgres.database import Database, Row, Transaction

_PROFILE: Final = """
SELECT id, external_id, name, avatar_url, version, deactivated_at IS NOT NULL, locale, timezone, custom,
       messenger.to_wire(created_at)
  FROM messenger.users
"""
_BY_ID: Final = f"{_PROFILE} WHERE id = ANY (%s)"
_BY_EXTERNAL_ID: Final = f"{_PROFILE} WHERE external_id = ANY (%s)"
_PAGE: Final = f"{_PROFILE} WHERE id > %s ORDER BY id LIMIT %s"
_AS_OTHERS_SEE: Final = "SELECT id, name, avatar_url, version, is_deactivated"
_NAMED: Final = f"{_AS_OTHERS_SEE} FROM messenger.members_named"
_IN_CONVERSATIONS: Final = f"{_NAMED}(%s::bigint[], %s::uuid[])"
# One shared conversation for each contact, by which members_named finds the name.
_CONTACTS: Final = f"""
WITH shared AS MATERIALIZED (
    SELECT wanted.user_id, found.conversation_id FROM unnest(%(users)s::bigint[]) AS wanted (user_id)
     CROSS JOIN LATERAL (
           SELECT p.conversation_id FROM messenger.conversation_participants p
            WHERE p.user_id = wanted.user_id AND p.left_at IS NULL
              AND p.conversation_id IN (SELECT own.conversation_id
                                          FROM messenger.conversation_participants own
                                         WHERE own.user_id = %(caller)s AND own.left_at IS NULL)
            LIMIT 1) found
)
{_NAMED}(
    (SELECT array_agg(shared.user_id) FROM shared), (SELECT array_agg(shared.conversation_id) FROM shared))
"""
_FIND: Final = f"{_AS_OTHERS_SEE} FROM messenger.find_users(%s, %s, %s, %s)"
_CONVERSATIONS: Final = "SELECT conversation_id::text FROM messenger.memberships(ARRAY[%s]::bigint[])"
_ENSURE: Final = "SELECT messenger.ensure_users(%s::bigint[], %s)"
# Most users who come are known, and their tokens claim nothing. Looking them up costs less than admit_users.
_KNOWN: Final = "SELECT id, deactivated_at IS NOT NULL FROM messenger.users WHERE id = ANY (%s)"
_KNOWN_EXTERNAL: Final = """
SELECT external_id, id, deactivated_at IS NOT NULL FROM messenger.users WHERE external_id = ANY (%s)
"""
_ADMIT: Final = "SELECT id, is_deactivated, is_changed FROM messenger.admit_users(%s) ORDER BY place"
_UPSERT: Final = "SELECT place, id, is_changed, is_conflict FROM messenger.upsert_users(%s) ORDER BY place"
_SET_DEACTIVATED: Final = """
UPDATE messenger.users SET deactivated_at = CASE WHEN %s THEN coalesce(deactivated_at, now()) END
 WHERE id = %s
"""


class PgUsers:
    """A UserStore in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def named(self, caller: int, pairs: Sequence[tuple[str, int]]) -> dict[int, UserData]:
        wanted = list(dict.fromkeys(pairs))
        if not wanted:
            return {}
        parameters = ([user for _, user in wanted], [conversation for conversation, _ in wanted])
        return _by_id(await self._database.rows(_IN_CONVERSATIONS, parameters, user_id=caller))

    async def contacts(self, caller: int, user_ids: Sequence[int]) -> dict[int, UserData]:
        parameters = {"caller": caller, "users": list(user_ids)}
        return _by_id(await self._database.rows(_CONTACTS, parameters, user_id=caller))

    async def find(
        self, caller: int, query: str, after: int, limit: int, *, of_everyone: bool
    ) -> list[UserData]:
        prefixes = sorted(words(query), key=len, reverse=True)
        if not prefixes:
            return []
        rows = await self._database.rows(_FIND, (prefixes, after, limit, of_everyone), user_id=caller)
        return [user_data(*row) for row in rows]

    async def profiles(self, caller: int, user_ids: Sequence[int]) -> dict[int, Profile]:
        rows = await self._database.rows(_BY_ID, (list(user_ids),), user_id=caller)
        return {row[0]: Profile(*row) for row in rows}

    async def by_external_ids(self, external_ids: Sequence[str]) -> list[Profile]:
        rows = await self._database.rows(_BY_EXTERNAL_ID, (list(external_ids),), user_id=SERVER)
        return [Profile(*row) for row in rows]

    async def page(self, after: int, limit: int) -> list[Profile]:
        return [Profile(*row) for row in await self._database.rows(_PAGE, (after, limit), user_id=SERVER)]

    async def admit(self, users: Sequence[Mapping[str, Any]]) -> list[Admitted]:
        admitted = await self._known([user for user in users if not _has_claims(user)])
        others = [user for user in users if _has_claims(user) or _name(user) not in admitted]
        if others:
            batch = orjson.dumps([_with_words(user) for user in others]).decode()
            rows = await self._database.rows(_ADMIT, (batch,))
            admitted |= {_name(user): Admitted(*row) for user, row in zip(others, rows, strict=True)}
        return [admitted[_name(user)] for user in users]

    async def _known(self, users: Sequence[Mapping[str, Any]]) -> dict[int | str, Admitted]:
        """Those who have a row, by the id that names them."""
        found: dict[int | str, Admitted] = {}
        if ids := [user["id"] for user in users if "id" in user]:
            for id_, deactivated in await self._database.rows(_KNOWN, (ids,), user_id=SERVER):
                found[id_] = Admitted(id_, deactivated, False)
        if names := [user["external_id"] for user in users if "id" not in user]:
            for name, id_, deactivated in await self._database.rows(
                _KNOWN_EXTERNAL, (names,), user_id=SERVER
            ):
                found[name] = Admitted(id_, deactivated, False)
        return found

    async def upsert(self, profiles: Sequence[Mapping[str, Any]]) -> list[Upserted]:
        batch = orjson.dumps([_with_words(profile) for profile in profiles]).decode()
        async with self._database.transaction(user_id=SERVER) as transaction:
            rows = await transaction.rows(_UPSERT, (batch,))
            if conflicts := [
                profiles[place]["external_id"] for place, _, _, is_conflict in rows if is_conflict
            ]:
                texts = [f"The external_id {name!r} belongs to another user." for name in conflicts]
                raise AppError(errors.KEY_CONFLICT, details={"users": texts})
            if twice := [id_ for id_, times in Counter(row[1] for row in rows).items() if times > 1]:
                # Only one of the two items was stored: PostgreSQL updates a row once in a statement.
                texts = [f"User {id_} is named both by id and by external_id." for id_ in twice]
                raise AppError(errors.INVALID_FRAME, details={"users": texts})
        return [Upserted(id_, is_changed) for _, id_, is_changed, _ in rows]

    async def set_deactivated(self, user_id: int, *, deactivated: bool) -> None:
        await self._database.rows(_SET_DEACTIVATED, (deactivated, user_id), user_id=SERVER)

    async def conversations(self, user_id: int) -> list[str]:
        return [row[0] for row in await self._database.rows(_CONVERSATIONS, (user_id,))]


async def require_users(
    transaction: Transaction, user_ids: Sequence[int], field: str, *, may_create: bool
) -> None:
    """Makes the users who are new. Without `may_create`, raises AppError(unknown_user) instead."""
    rows = await transaction.rows(_ENSURE, (list(user_ids), may_create))
    if rows:
        raise AppError(errors.UNKNOWN_USER, details={field: [f"No user {row[0]}." for row in rows]})


def _name(user: Mapping[str, Any]) -> int | str:
    """The id that names a user who comes with a token."""
    name: int | str = user["id"] if "id" in user else user["external_id"]
    return name


def _has_claims(user: Mapping[str, Any]) -> bool:
    return "name" in user or "avatar_url" in user


def _with_words(user: Mapping[str, Any]) -> dict[str, Any]:
    if "name" not in user:
        return dict(user)
    return {**user, "words": words(user["name"] or "")}


def _by_id(rows: Sequence[Row]) -> dict[int, UserData]:
    return {row[0]: user_data(*row) for row in rows}
