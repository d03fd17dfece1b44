"""Reads and writes the rows of files, whose bytes gateways have. Migrations 0011 and 0012 have the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from chat_api.file_rows import ChangedFiles, FileRow, Settled
from chat_api.storage.messages import VISIBLE
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.postgres.database import Database

# How often a file may be sent to another conversation just while it is settled.
SETTLE_ATTEMPTS: Final = 5
# Of one user at a time, so that two requests don't fit into the same rest of the quota.
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('messenger.files', %s))"
_IS_KNOWN: Final = "SELECT 1 FROM messenger.files WHERE id = %s"
_USED: Final = """
SELECT count(*), coalesce(sum(size), 0)::bigint FROM messenger.files
 WHERE owner_id = %s AND created_at > now() - interval '24 hours'
"""
_ADD: Final = """
INSERT INTO messenger.files (id, owner_id, name, size, mime, upload_digest)
VALUES (%s, %s, %s, %s, %s, decode(%s, 'hex'))
"""
_COLUMNS: Final = (
    "f.id::text, f.name, f.size, f.mime, f.kind, f.state, f.owner_id, "
    "f.width, f.height, f.blurhash, f.duration_ms, f.thumbs"
)
_IS_THERE: Final = "f.state <> 'removed' AND coalesce(f.due_at > now(), true)"
_FIND: Final = f"""
SELECT {_COLUMNS} FROM messenger.files f
 WHERE f.id = %(file)s AND {_IS_THERE} AND (f.owner_id = %(user)s OR EXISTS (
       SELECT FROM messenger.file_links l
         JOIN messenger.messages m ON m.id = l.message_id
         JOIN messenger.conversations c ON c.id = m.conversation_id
         JOIN messenger.conversation_participants p
              ON p.conversation_id = m.conversation_id AND p.user_id = %(user)s
        WHERE l.file_id = f.id AND m.deleted_at IS NULL AND c.deleted_at IS NULL AND p.left_at IS NULL
          AND {VISIBLE}))
"""
_UPLOAD: Final = f"""
SELECT {_COLUMNS}, encode(f.upload_digest, 'hex') FROM messenger.files f WHERE f.id = %s AND {_IS_THERE}
"""
_FINISH: Final = f"""
UPDATE messenger.files f
   SET mime = %(mime)s, kind = %(kind)s, attempts = least(coalesce(%(lease_s)s, 0), 1),
       state = CASE WHEN %(lease_s)s IS NULL THEN 'ready' ELSE 'pending' END,
       process_at = now() + make_interval(secs => %(lease_s)s)
 WHERE f.id = %(file)s AND f.owner_id = %(user)s AND f.state = 'open' AND {_IS_THERE}
RETURNING {_COLUMNS}
"""
_OWN: Final = f"""
SELECT {_COLUMNS} FROM messenger.files f
 WHERE f.id = %(file)s AND f.owner_id = %(user)s AND f.state <> 'open' AND {_IS_THERE}
"""
_REFUSE: Final = """
UPDATE messenger.files SET due_at = now() WHERE id = %s AND owner_id = %s AND state = 'open'
"""
# What is to be removed is not examined any more.
_TAKE_PENDING: Final = f"""
UPDATE messenger.files f
   SET process_at = now() + make_interval(secs => %s), attempts = attempts + 1
  FROM (SELECT id FROM messenger.files
         WHERE process_at <= now() AND state IN ('pending', 'rejected') AND coalesce(due_at > now(), true)
         ORDER BY process_at LIMIT %s FOR UPDATE SKIP LOCKED) due
 WHERE f.id = due.id RETURNING {_COLUMNS}, f.attempts
"""
_PUT_BACK: Final = """
UPDATE messenger.files SET process_at = now() + make_interval(secs => %s) WHERE id = %s AND state = 'pending'
"""
_SETTLE: Final = """
SELECT verdict, message_id::text, conversation_id::text, pos, attachments FROM messenger.settle_file(%s, %s)
"""
_SETTLED: Final = f"SELECT {_COLUMNS} FROM messenger.files f WHERE f.id = %s"
# A gateway that dies meanwhile doesn't tell that the bytes are gone; then the file is due again.
_TAKE_DUE: Final = """
UPDATE messenger.files f SET state = 'removed', process_at = NULL, due_at = now() + interval '5 minutes'
  FROM (SELECT id FROM messenger.files WHERE due_at <= now() ORDER BY due_at LIMIT %s
           FOR UPDATE SKIP LOCKED) due
 WHERE f.id = due.id RETURNING f.id::text
"""
# The row counts for the quota until it is a day old. A rejected file stays as long as its messages.
_REMOVED: Final = """
WITH emptied AS (
    UPDATE messenger.files SET process_at = NULL
     WHERE id = ANY (%(files)s::uuid[]) AND state = 'rejected'
), kept AS (
    UPDATE messenger.files SET due_at = created_at + interval '24 hours'
     WHERE id = ANY (%(files)s::uuid[]) AND state = 'removed' AND created_at > now() - interval '24 hours'
)
DELETE FROM messenger.files
 WHERE id = ANY (%(files)s::uuid[]) AND state = 'removed' AND created_at <= now() - interval '24 hours'
"""


class PgFiles:
    """A FileStore in PostgreSQL. A quota of 0 is no limit."""

    def __init__(self, database: Database, bytes_per_day: int, files_per_day: int) -> None:
        self._database = database
        self._bytes_per_day = bytes_per_day
        self._files_per_day = files_per_day

    async def add(self, owner_id: int, file_id: str, name: str, size: int, mime: str, digest: str) -> None:
        async with self._database.transaction(user_id=owner_id) as transaction:
            await transaction.rows(_LOCK, (owner_id,))
            if await transaction.rows(_IS_KNOWN, (file_id,)):
                return
            [[count, used]] = await transaction.rows(_USED, (owner_id,))
            if 0 < self._files_per_day <= count or 0 < self._bytes_per_day < used + size:
                raise AppError(errors.QUOTA_EXCEEDED)
            await transaction.rows(_ADD, (file_id, owner_id, name, size, mime, digest))

    async def find(self, file_id: str, caller: int) -> FileRow | None:
        rows = await self._database.rows(_FIND, {"file": file_id, "user": caller}, user_id=caller)
        return FileRow(*rows[0]) if rows else None

    async def upload(self, file_id: str) -> tuple[FileRow, str] | None:
        rows = await self._database.rows(_UPLOAD, (file_id,), user_id=SERVER)
        return (FileRow(*rows[0][:-1]), rows[0][-1]) if rows else None

    async def finish(
        self, file_id: str, owner_id: int, mime: str, kind: str, lease_s: int | None
    ) -> FileRow | None:
        parameters = {"file": file_id, "user": owner_id, "mime": mime, "kind": kind, "lease_s": lease_s}
        async with self._database.transaction(user_id=owner_id) as transaction:
            rows = await transaction.rows(_FINISH, parameters) or await transaction.rows(_OWN, parameters)
            return FileRow(*rows[0]) if rows else None

    async def take_pending(self, limit: int, lease_s: int) -> list[tuple[FileRow, int]]:
        rows = await self._database.rows(_TAKE_PENDING, (lease_s, limit), user_id=SERVER)
        return [(FileRow(*file), attempts) for *file, attempts in rows]

    async def put_back(self, file_id: str, after_s: int) -> None:
        await self._database.rows(_PUT_BACK, (after_s, file_id), user_id=SERVER)

    async def settle(self, file_id: str, outcome: Mapping[str, Any]) -> Settled | None:
        parameters = (file_id, orjson.dumps(outcome).decode())
        for _ in range(SETTLE_ATTEMPTS):
            async with self._database.transaction(user_id=SERVER) as transaction:
                rows = await transaction.rows(_SETTLE, parameters)
                if rows[0][0] == "not_found":
                    return None
                if rows[0][0] == "settled":
                    [file] = await transaction.rows(_SETTLED, (file_id,))
                    changes = [ChangedFiles(*change) for _, *change in rows if change[0] is not None]
                    return Settled(FileRow(*file), changes)
        raise AppError(errors.UNAVAILABLE)

    async def refuse(self, file_id: str, owner_id: int) -> None:
        await self._database.rows(_REFUSE, (file_id, owner_id), user_id=owner_id)

    async def take_due(self, limit: int) -> list[str]:
        return [row[0] for row in await self._database.rows(_TAKE_DUE, (limit,), user_id=SERVER)]

    async def removed(self, file_ids: Sequence[str]) -> None:
        await self._database.rows(_REMOVED, {"files": list(file_ids)}, user_id=SERVER)
