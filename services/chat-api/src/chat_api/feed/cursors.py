"""Keeps the cursors and leases of consumers in PostgreSQL. Times of leases are the database's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from chat_api.feed.consumer import Claim
from messenger_shared.postgres.database import Database

LEASE_S: Final = 10.0
PAGE: Final = 10_000
FIRST_ID: Final = "00000000-0000-0000-0000-000000000000"
# Whatever is lost of these in a crash of PostgreSQL, the feed does again.
RELAXED: Final = "SELECT set_config('synchronous_commit', 'off', true);"
CLAIM: Final = f"{RELAXED} SELECT * FROM messenger.feed_claim(%s, %s::uuid[], %s, %s, %s)"
_ADVANCE: Final = (
    f"{RELAXED} SELECT id::text FROM messenger.feed_advance(%s, %s, %s::uuid[], %s::bigint[]) AS id"
)
_RENEW: Final = f"{RELAXED} SELECT id::text FROM messenger.feed_renew(%s, %s, %s::uuid[], %s) AS id"
_BEHIND: Final = "SELECT upto::text, behind, oldest_s FROM messenger.feed_behind(%s, %s, %s)"


class Claimed(NamedTuple):
    """What became of conversations that were asked for."""

    claims: list[Claim]
    # Those without changes, with the pos of their cursor.
    done: dict[str, int]
    # Those that somebody else works on, and for how many seconds they may.
    busy: dict[str, float]


class BehindPage(NamedTuple):
    """Those among the next conversations that are behind. `upto` is None after the last conversation."""

    upto: str | None
    conversation_ids: list[str]
    # How long the oldest change has waited.
    oldest_s: float


class PgCursors:
    """The cursors of one consumer. Every method raises AppError(unavailable) if PostgreSQL is away."""

    def __init__(self, database: Database, consumer: str, page: int = PAGE) -> None:
        self._database = database
        self._consumer = consumer
        self._page = page

    async def claim(self, conversation_ids: Sequence[str], token: str, seconds: float = LEASE_S) -> Claimed:
        """Takes those of the conversations that are behind and free."""
        parameters = (self._consumer, list(conversation_ids), token, seconds, False)
        claimed = Claimed([], {}, {})
        for id_, is_taken, pos, last_pos, busy_s in await self._database.rows(CLAIM, parameters):
            if is_taken:
                claimed.claims.append(Claim(id_, pos, last_pos))
            elif pos >= last_pos:
                claimed.done[id_] = pos
            else:
                claimed.busy[id_] = busy_s
        return claimed

    async def advance(self, token: str, positions: Mapping[str, int | None]) -> set[str]:
        """Moves cursors, except where the pos is None, and gives up the leases.

        Returns the conversations that were still held with this token; the others stay as they are.
        """
        parameters = (self._consumer, token, list(positions), list(positions.values()))
        return {row[0] for row in await self._database.rows(_ADVANCE, parameters)}

    async def renew(self, token: str, conversation_ids: Sequence[str], seconds: float = LEASE_S) -> set[str]:
        """Prolongs the leases, and returns the conversations that were still held."""
        parameters = (self._consumer, token, list(conversation_ids), seconds)
        return {row[0] for row in await self._database.rows(_RENEW, parameters)}

    async def behind(self, after: str) -> BehindPage:
        """Compares the next conversations, by id, with their cursors: a page of them."""
        [(upto, ids, oldest_s)] = await self._database.rows(_BEHIND, (self._consumer, after, self._page))
        return BehindPage(upto, ids, oldest_s or 0.0)
