"""Reads and writes devices, settings for pushes, and what was decided. Migration 0017 has the SQL."""

from __future__ import annotations

from typing import Final

from chat_api.push.model import Decision, QuietHours, StoredDevice
from chat_api.push.rules import Facts
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.postgres.database import Database

DEVICES_MAX: Final = 20
_SUBSCRIBE: Final = f"""
SELECT application_server_key, messenger.to_wire(created_at)
  FROM messenger.push_subscribe(%s, %s, %s, %s, %s, {DEVICES_MAX})
"""
_UNSUBSCRIBE: Final = """
DELETE FROM messenger.push_subscriptions WHERE digest = sha256(convert_to(%s, 'UTF8')) AND user_id = %s
"""
_TEST: Final = """
WITH mine AS (
    SELECT count(*) AS devices FROM messenger.push_subscriptions WHERE user_id = %(user)s
), queued AS (
    INSERT INTO messenger.push_queue (kind, user_id) SELECT 'test', %(user)s FROM mine WHERE devices > 0
)
SELECT devices FROM mine
"""
_QUIET_HOURS: Final = """
SELECT to_char(quiet_start, 'HH24:MI'), to_char(quiet_end, 'HH24:MI'), timezone
  FROM messenger.push_settings WHERE user_id = %s
"""
_END_QUIET_HOURS: Final = "DELETE FROM messenger.push_settings WHERE user_id = %s"
# PostgreSQL takes other texts for zones too, and reads `UTC+9` as nine hours west.
_SET_QUIET_HOURS: Final = """
INSERT INTO messenger.push_settings (user_id, quiet_start, quiet_end, timezone)
SELECT %(user)s, %(start)s, %(end)s, z.name FROM pg_timezone_names z WHERE z.name = %(timezone)s
ON CONFLICT (user_id) DO UPDATE
   SET quiet_start = excluded.quiet_start, quiet_end = excluded.quiet_end, timezone = excluded.timezone
RETURNING 1
"""
FACTS: Final = """
SELECT place, user_id, sender_id, age_s, is_member, is_deactivated, is_deleted, is_read, is_muted,
       push_enabled, notify, is_mentioned, is_quiet, shown_seq, has_device
  FROM messenger.push_facts(%s::uuid[], %s::bigint[], %s::bigint[])
"""
_DECISION: Final = """
SELECT messenger.to_wire(decided_at), rules FROM messenger.push_decision(%s, %s, %s)
"""


class PgPush:
    """A PushStore in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def subscribe(
        self,
        user_id: int,
        kind: str,
        endpoint: str,
        keys: tuple[str, str] | None,
        application_server_key: str | None,
    ) -> StoredDevice | None:
        parameters = (kind, endpoint, *(keys or (None, None)), application_server_key)
        rows = await self._database.rows(_SUBSCRIBE, parameters, user_id=user_id)
        return StoredDevice(*rows[0]) if rows else None

    async def unsubscribe(self, user_id: int, endpoint: str) -> None:
        await self._database.rows(_UNSUBSCRIBE, (endpoint, user_id), user_id=user_id)

    async def queue_test(self, user_id: int) -> int:
        [[devices]] = await self._database.rows(_TEST, {"user": user_id}, user_id=user_id)
        return int(devices)

    async def quiet_hours(self, user_id: int) -> QuietHours | None:
        rows = await self._database.rows(_QUIET_HOURS, (user_id,), user_id=user_id)
        return QuietHours(*rows[0]) if rows else None

    async def set_quiet_hours(self, user_id: int, hours: QuietHours | None) -> None:
        if hours is None:
            await self._database.rows(_END_QUIET_HOURS, (user_id,), user_id=user_id)
            return
        parameters = {"user": user_id, **hours._asdict()}
        if not await self._database.rows(_SET_QUIET_HOURS, parameters, user_id=user_id):
            details = {"quiet_hours": ["timezone: Not a time zone that the server knows."]}
            raise AppError(errors.INVALID_FRAME, details=details)

    async def facts(self, caller: int, conversation_id: str, seq: int, user_id: int) -> Facts | None:
        parameters = ([conversation_id], [seq], [user_id])
        rows = await self._database.rows(FACTS, parameters, user_id=caller)
        return Facts(*rows[0][1:])._replace(seq=seq) if rows else None

    async def decision(self, caller: int, conversation_id: str, seq: int, user_id: int) -> Decision | None:
        parameters = (conversation_id, seq, user_id)
        rows = await self._database.rows(_DECISION, parameters, user_id=caller)
        return Decision(*rows[0]) if rows else None
