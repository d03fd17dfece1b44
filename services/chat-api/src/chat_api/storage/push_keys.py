"""Reads and makes VAPID keys. Private keys leave the database for the feed alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chat_api.push.model import KeyUse
from chat_api.push.vapid import KeyPair, new_key_pair
from messenger_shared.postgres.database import Database

_CURRENT: Final = "SELECT public_key FROM messenger.push_key(NULL)"
_ADD: Final = "SELECT messenger.push_add_key(%s, %s, %s)"
_USES: Final = "SELECT public_key, messenger.to_wire(created_at), devices FROM messenger.push_key_uses()"
_PAIRS: Final = "SELECT id, public_key, private_key FROM messenger.push_private_keys()"


class PgPushKeys:
    """A PushKeyStore in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self) -> str:
        rows = await self._database.rows(_CURRENT)
        # Of several who find none at once, one adds its pair, and all get that.
        return str(rows[0][0]) if rows else await self._add(only_first=True)

    async def rotate(self) -> str:
        return await self._add(only_first=False)

    async def uses(self) -> Sequence[KeyUse]:
        return [KeyUse(*row) for row in await self._database.rows(_USES)]

    async def pairs(self) -> dict[int, KeyPair]:
        rows = await self._database.rows(_PAIRS)
        return {id_: KeyPair(public_key, bytes(private_key)) for id_, public_key, private_key in rows}

    async def _add(self, *, only_first: bool) -> str:
        pair = new_key_pair()
        [[current]] = await self._database.rows(_ADD, (pair.public_key, pair.private_key, only_first))
        return str(current)
