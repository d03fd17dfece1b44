"""Reads and writes notification settings."""

from __future__ import annotations

from typing import Any, Final

from chat_api.model import SettingsData
from messenger_shared.postgres.database import Database

# Whether a notification_settings row with the alias s is muted now.
NOW_MUTED: Final = "s.muted AND (s.muted_until IS NULL OR s.muted_until > now())"
_COLUMNS: Final = f"{NOW_MUTED}, messenger.to_wire(s.muted_until), s.push_enabled, s.email_enabled, s.notify"
_GET: Final = f"""
SELECT {_COLUMNS} FROM messenger.notification_settings s WHERE s.user_id = %s AND s.conversation_id = %s
"""
_UPDATE: Final = f"""
INSERT INTO messenger.notification_settings AS s
       (user_id, conversation_id, muted, muted_until, push_enabled, email_enabled, notify)
VALUES (%(user)s, %(conversation)s, coalesce(%(muted)s, false), %(muted_until)s,
        coalesce(%(push_enabled)s, true), coalesce(%(email_enabled)s, true),
        coalesce(%(notify)s, 'all'))
ON CONFLICT (user_id, conversation_id) DO UPDATE
   SET muted = coalesce(%(muted)s, s.muted),
       muted_until = CASE WHEN %(muted)s IS NULL THEN s.muted_until ELSE excluded.muted_until END,
       push_enabled = coalesce(%(push_enabled)s, s.push_enabled),
       email_enabled = coalesce(%(email_enabled)s, s.email_enabled),
       notify = coalesce(%(notify)s, s.notify)
RETURNING {_COLUMNS}
"""
_NAMES: Final = ("muted", "muted_until", "push_enabled", "email_enabled", "notify")
_DEFAULTS: Final = (False, None, True, True, "all")


class PgSettings:
    """A SettingsStore in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, conversation_id: str, user_id: int) -> SettingsData:
        rows = await self._database.rows(_GET, (user_id, conversation_id), user_id=user_id)
        return dict(zip(_NAMES, rows[0] if rows else _DEFAULTS, strict=True))

    async def update(self, conversation_id: str, user_id: int, wanted: SettingsData) -> SettingsData:
        parameters: dict[str, Any] = {name: wanted.get(name) for name in _NAMES}
        parameters |= {"user": user_id, "conversation": conversation_id}
        [row] = await self._database.rows(_UPDATE, parameters, user_id=user_id)
        return dict(zip(_NAMES, row, strict=True))
