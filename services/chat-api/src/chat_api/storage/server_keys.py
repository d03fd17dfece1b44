"""Reads and writes server keys, and the audit of their use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chat_api.model import StoredKey
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.postgres.database import Database

# A repeated request finds its own key.
_ADD: Final = """
INSERT INTO messenger.server_keys (id, name, digest, scopes) VALUES (%s, %s, decode(%s, 'hex'), %s)
ON CONFLICT DO NOTHING
"""
_ALL: Final = """
SELECT id, name, scopes, messenger.to_wire(created_at), messenger.to_wire(last_used_at),
       messenger.to_wire(revoked_at)
  FROM messenger.server_keys ORDER BY created_at, id
"""
# Its time tells a guesser about the digest at most, and no key can be made from a digest.
_USE: Final = """
UPDATE messenger.server_keys SET last_used_at = now()
 WHERE id = %s AND digest = decode(%s, 'hex') AND revoked_at IS NULL RETURNING scopes
"""
_REVOKE: Final = """
UPDATE messenger.server_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = %s RETURNING 1
"""
_RECORD: Final = "INSERT INTO messenger.server_audit (key_id, operation, target) VALUES (%s, %s, %s)"


class PgServerKeys:
    """A ServerKeyStore in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key_id: str, name: str, digest: str, scopes: Sequence[str]) -> None:
        await self._database.rows(_ADD, (key_id, name, digest, list(scopes)), user_id=SERVER)

    async def all(self) -> list[StoredKey]:
        return [StoredKey(*row) for row in await self._database.rows(_ALL, user_id=SERVER)]

    async def use(self, key_id: str, digest: str) -> list[str] | None:
        rows = await self._database.rows(_USE, (key_id, digest), user_id=SERVER)
        return rows[0][0] if rows else None

    async def revoke(self, key_id: str) -> bool:
        return bool(await self._database.rows(_REVOKE, (key_id,), user_id=SERVER))

    async def record(self, key_id: str, operation: str, target: str | None) -> None:
        await self._database.rows(_RECORD, (key_id, operation, target), user_id=SERVER)
