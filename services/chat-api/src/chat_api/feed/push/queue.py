"""The queue of pushes, and what else push reads and writes in PostgreSQL. Migration 0017 has the SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from chat_api.feed.consumer import Claim
from chat_api.feed.cursors import RELAXED
from chat_api.push.model import Device, Kind
from chat_api.push.payloads import TEXT_CHARS, Shown
from chat_api.push.rules import DELAY_S, TOO_OLD_S, Facts
from chat_api.storage.push import FACTS
from messenger_shared.postgres.database import Database

# Changes of one conversation that are looked at together.
_CHANGES_MAX: Final = 500
PLAN: Final = (
    f"{RELAXED} SELECT conversation_id, pos FROM messenger.push_plan(%s, %s::uuid[], %s::bigint[], "
    f"{_CHANGES_MAX}, {DELAY_S}, {TOO_OLD_S})"
)
TAKE: Final = (
    f"{RELAXED} SELECT id, kind, conversation_id, seq, user_id, subscription_id, attempt, age_s "
    "FROM messenger.push_take(%s, %s)"
)
NEXT: Final = "SELECT messenger.push_next()"
RENEW: Final = f"{RELAXED} SELECT messenger.push_renew(%s::bigint[], %s)"
FINISH: Final = (
    f"{RELAXED} SELECT messenger.push_finish(%s::bigint[], %s::bigint[], %s::text[], %s::uuid[], "
    "%s::bigint[], %s::bigint[], %s::bigint[], %s::integer[], %s::float8[], %s::float8[])"
)
DECIDE: Final = (
    f"{RELAXED} SELECT messenger.push_decide("
    "%s::uuid[], %s::bigint[], %s::bigint[], %s::text[], %s::boolean[])"
)
MESSAGES: Final = f"""
SELECT place, id, type, title, sender_id, sender_name, message_type, content
  FROM messenger.push_messages(%s::uuid[], %s::bigint[], {TEXT_CHARS})
"""
DEVICES: Final = """
SELECT place, badge, id, kind, endpoint, key_id, p256dh, auth
  FROM messenger.push_devices(%s::bigint[], %s::bigint[])
"""
FORGET: Final = f"{RELAXED} SELECT messenger.push_forget(%s, %s)"


class Job(NamedTuple):
    """A row of the queue. `user_id` None is for all members, `device_id` None for all devices."""

    id: int
    kind: Kind
    conversation_id: str | None
    seq: int | None
    user_id: int | None
    device_id: int | None
    attempt: int
    # Since the message, or what else is pushed.
    age_s: float


class Again(NamedTuple):
    """A push that is to be tried again for one device."""

    job: Job
    user_id: int
    device_id: int
    age_s: float
    pause_s: float


class Decided(NamedTuple):
    """What was decided about a message for a user. `rules` are those that stand out (see push/rules)."""

    conversation_id: str
    seq: int
    user_id: int
    rules: Sequence[str]
    is_pushed: bool


class Addressed(NamedTuple):
    """A device of a user that was asked for, with the number for its badge. `place` is the item's index."""

    place: int
    badge: int
    device: Device


class PgPushQueue:
    """The queue in PostgreSQL. Every method raises AppError(unavailable) if it is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def plan(self, claims: Sequence[Claim], token: str) -> dict[str, int]:
        """Queues the new messages of conversations, and advances their cursors to the positions returned."""
        parameters = (token, [c.conversation_id for c in claims], [c.pos for c in claims])
        return dict(await self._database.rows(PLAN, parameters))

    async def take(self, at_most: int, seconds: float) -> list[Job]:
        """Takes jobs that are due. Nobody else gets them for so long."""
        return [Job(*row) for row in await self._database.rows(TAKE, (at_most, seconds))]

    async def next_s(self) -> float | None:
        """In how many seconds a job is due; negative if it is late, None if there is none."""
        [[seconds]] = await self._database.rows(NEXT)
        return None if seconds is None else float(seconds)

    async def renew(self, ids: Sequence[int], seconds: float) -> None:
        """Keeps jobs for so long from now."""
        await self._database.rows(RENEW, (list(ids), seconds))

    async def finish(self, done: Sequence[int], gone: Sequence[int], again: Sequence[Again]) -> None:
        """Removes jobs and devices, and queues what is to be tried again."""
        rows = [
            (
                *(one.job.kind, one.job.conversation_id, one.job.seq, one.user_id, one.device_id),
                *(one.job.attempt + 1, one.age_s, one.pause_s),
            )
            for one in again
        ]
        columns: list[Any] = [list(column) for column in zip(*rows, strict=True)] or [[]] * 8
        await self._database.rows(FINISH, (list(done), list(gone), *columns))

    async def facts(self, jobs: Sequence[Job]) -> list[tuple[Job, Facts]]:
        """What the rules ask, for each job and each of its users."""
        columns = ([j.conversation_id for j in jobs], [j.seq for j in jobs], [j.user_id for j in jobs])
        found = []
        for place, *facts in await self._database.rows(FACTS, columns):
            job = jobs[place - 1]
            found.append((job, Facts(*facts)._replace(seq=job.seq or 0, is_retry=job.attempt > 0)))
        return found

    async def decide(self, decided: Sequence[Decided]) -> None:
        """Records decisions, and what is pushed now."""
        columns = (
            [one.conversation_id for one in decided],
            [one.seq for one in decided],
            [one.user_id for one in decided],
            [",".join(one.rules) for one in decided],
            [one.is_pushed for one in decided],
        )
        await self._database.rows(DECIDE, columns)

    async def shown(self, messages: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Shown]:
        """What pushes may show of messages, which are pairs of a conversation and a seq."""
        columns = ([id_ for id_, _ in messages], [seq for _, seq in messages])
        rows = await self._database.rows(MESSAGES, columns)
        return {messages[place - 1]: Shown(*shown) for place, *shown in rows}

    async def devices(self, wanted: Sequence[tuple[int, int | None]]) -> list[Addressed]:
        """The devices of users; an item is a user, and one device or None for all of theirs."""
        columns = ([user_id for user_id, _ in wanted], [device_id for _, device_id in wanted])
        rows = await self._database.rows(DEVICES, columns)
        return [Addressed(place - 1, badge, Device(*device)) for place, badge, *device in rows]

    async def forget(self, seconds: float, at_most: int) -> int:
        """Removes decisions from before so many seconds, and returns how many."""
        [[count]] = await self._database.rows(FORGET, (seconds, at_most))
        return int(count)
