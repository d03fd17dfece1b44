"""Owns presence in Redis: one atomic step per method, by Redis's own clock, with a deadline each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from messenger_shared.common_settings import PRESENCE_GRACE_MS
from messenger_shared.presences import AWAY, OFFLINE, ONLINE
from messenger_shared.redis_steps import client, step
from presence.keys import Keys
from presence.ports import (
    Choice,
    Chosen,
    Look,
    Outcome,
    Present,
    Report,
    Some,
    State,
    States,
    Totals,
    Transition,
    Unloaded,
)

PREFIX: Final = "presence:"
LEASE_MS: Final = 15_000
# By then every gateway has reported that was asked to: it may first have to find its way back to Redis.
SETTLE_MS: Final = 5_000
PATIENCE_MS: Final = 5_000
TAKEN_AT_ONCE: Final = 500
ENDED_AT_ONCE: Final = 100
WRITTEN_AT_ONCE: Final = 2_000
# Of the flags in the scripts.
INVISIBLE: Final = 1
HIDES: Final = 2
_HOLD: Final = 1_000_000
_TAKEN: Final = 1
_UNLOADED: Final = -1


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things last; see the scripts."""

    grace_ms: int = PRESENCE_GRACE_MS
    lease_ms: int = LEASE_MS
    settle_ms: int = SETTLE_MS
    patience_ms: int = PATIENCE_MS
    # How many users one step takes, so that it doesn't hold up Redis.
    taken_at_once: int = TAKEN_AT_ONCE


class RedisStore:
    """A Store in one Redis server, under the keys that start with `prefix`."""

    def __init__(self, url: str, timing: Timing, prefix: str = PREFIX) -> None:
        self._keys = Keys(prefix)
        self._timing = timing
        self._redis = client(url)
        names = (
            "report",
            "look",
            "release",
            "lapse",
            "choose",
            "load",
            "states",
            "present",
            "unwritten",
            "written",
        )
        self._scripts = {name: self._redis.register_script(_lua(name)) for name in names}

    async def start(self) -> None:
        """Raises AppError(unavailable) unless Redis answers."""
        await step(self._redis.ping())

    async def stop(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()

    async def report(self, report: Report) -> Outcome:
        """See Store.report."""
        of_it = (report.gateway, report.number, int(report.full), report.connections)
        split = (len(report.opened), len(report.away))
        users = (*report.opened, *report.away, *report.closed)
        *found, taken = await self._run("report", *of_it, *split, *users, keys=self._keys.of(report.gateway))
        if taken == _UNLOADED:
            raise Unloaded
        return Outcome(taken == _TAKEN, _transitions(*found))

    async def leave(self, gateway: str) -> None:
        """See Store.leave."""
        await step(self._redis.zadd(self._keys.leases, {gateway: 0}, xx=True))

    async def look(self) -> Look:
        """See Store.look."""
        unattended, loaded, ended = await self._run("look", self._timing.patience_ms, ENDED_AT_ONCE)
        return Look([gateway.decode() for gateway in ended], bool(unattended), bool(loaded))

    async def release(self, gateway: str) -> Some:
        """See Store.release."""
        arguments = (gateway, self._timing.taken_at_once)
        *found, more = await self._run("release", *arguments, keys=self._keys.of(gateway))
        return Some(_transitions(*found), bool(more))

    async def lapse(self) -> Some:
        """See Store.lapse."""
        *found, more = await self._run("lapse", self._timing.taken_at_once)
        return Some(_transitions(*found), bool(more))

    async def choose(self, choice: Choice) -> Chosen:
        """See Store.choose."""
        *found, moved = await self._run("choose", *_row(choice))
        transitions = _transitions(*found)
        return Chosen(transitions[0] if transitions else None, bool(moved))

    async def load(self, loader: str, choices: Sequence[Choice], *, first: bool, last: bool) -> bool:
        """See Store.load."""
        rows = [part for choice in choices for part in _row(choice)]
        return bool(await self._run("load", loader, int(first), int(last), *rows))

    async def states(self, user_ids: Sequence[int]) -> States:
        """See Store.states."""
        version, settled, *rest = await self._run("states", *user_ids)
        rows = zip(rest[::3], rest[1::3], rest[2::3], strict=True)
        return States(version, bool(settled), [_state(*row) for row in rows])

    async def present(self, cursor: str) -> Present:
        """See Store.present."""
        further, at_ms, users = await self._run("present", cursor, self._timing.taken_at_once)
        return Present(further.decode(), at_ms, [int(user) for user in users])

    async def unwritten(self) -> dict[int, int]:
        """See Store.unwritten."""
        flat = await self._run("unwritten", WRITTEN_AT_ONCE)
        return {int(user): int(seen) for user, seen in zip(flat[::2], flat[1::2], strict=True)}

    async def written(self, seen: Mapping[int, int]) -> None:
        """See Store.written."""
        await self._run("written", len(seen), *seen.keys(), *seen.values())

    async def seen(self, user_ids: Collection[int]) -> dict[int, int]:
        """See Store.seen."""
        users = [str(user_id) for user_id in user_ids]
        found = await step(self._redis.hmget(self._keys.unwritten, users)) if users else []
        return {int(user): int(at) for user, at in zip(users, found, strict=True) if at is not None}

    async def claim(self, task: str, period_ms: int) -> bool:
        """See Store.claim."""
        return bool(await step(self._redis.set(self._keys.claim(task), 1, px=period_ms, nx=True)))

    async def totals(self) -> Totals:
        """See Store.totals."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hlen(self._keys.shown)
            pipe.hgetall(self._keys.sockets)
            online, sockets = await step(pipe.execute())
        return Totals(online, {gateway.decode(): int(number) for gateway, number in sockets.items()})

    async def _run(self, script: str, *arguments: Any, keys: tuple[str, ...] = ()) -> Any:
        timing = self._timing
        args = (timing.lease_ms, timing.grace_ms, timing.settle_ms, *arguments)
        return await step(self._scripts[script](keys or self._keys.common, args))


def _lua(name: str) -> str:
    folder = resources.files("presence") / "lua"
    return (folder / "prelude.lua").read_text() + (folder / f"{name}.lua").read_text()


def _transitions(version: int, at_ms: int, flat: list[Any]) -> list[Transition]:
    rows = zip(flat[::4], flat[1::4], flat[2::4], flat[3::4], strict=True)
    return [
        Transition(version, int(user), status.decode(), at_ms, seen, bool(flags & HIDES))
        for user, status, seen, flags in rows
    ]


def _row(choice: Choice) -> tuple[int, int, int]:
    return choice.user_id, choice.version, choice.invisible * INVISIBLE + choice.hides * HIDES


def _state(seen: bytes | None, count: bytes | None, flags: int) -> State:
    real = OFFLINE if count is None else ONLINE if int(count) % _HOLD else AWAY
    return State(
        seen.decode() if seen is not None else OFFLINE, real, bool(flags & INVISIBLE), bool(flags & HIDES)
    )
