"""Keeps presence in Redis. Each method is one atomic step with a deadline, by the clock of Redis."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from messenger_shared.bus.redis_client import client, step
from messenger_shared.contract.presence_states import AWAY, OFFLINE, ONLINE
from messenger_shared.settings.common import PRESENCE_GRACE_MS
from presence.keys import Keys
from presence.ports import (
    Choice,
    ChoiceResult,
    ChoicesNotLoaded,
    PresentPage,
    Report,
    ReportResult,
    State,
    States,
    StepResult,
    SweepInfo,
    Totals,
    Transition,
)

PREFIX: Final = "presence:"
LEASE_MS: Final = 15_000
# Time for every gateway to report after it was asked. A gateway may have to reconnect to Redis first.
SETTLE_MS: Final = 5_000
MAX_SWEEP_GAP_MS: Final = 5_000
USERS_PER_STEP: Final = 500
GATEWAYS_PER_SWEEP: Final = 100
UNWRITTEN_PER_STEP: Final = 2_000
# The bits of the flags in the scripts.
INVISIBLE: Final = 1
HIDES: Final = 2
_HOLD: Final = 1_000_000
_TAKEN: Final = 1
_CHOICES_MISSING: Final = -1


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations, and the size of a step. The scripts explain them."""

    grace_ms: int = PRESENCE_GRACE_MS
    lease_ms: int = LEASE_MS
    settle_ms: int = SETTLE_MS
    max_sweep_gap_ms: int = MAX_SWEEP_GAP_MS
    # How many users one step handles, so that it doesn't block Redis for long.
    users_per_step: int = USERS_PER_STEP


class RedisStore:
    """A Store in one Redis server. All its keys start with `prefix`."""

    def __init__(self, url: str, timing: Timing, prefix: str = PREFIX) -> None:
        self._keys = Keys(prefix)
        self._timing = timing
        self._redis = client(url)
        names = (
            "report",
            "begin_sweep",
            "release",
            "end_grace_periods",
            "choose",
            "load",
            "states",
            "scan_present",
            "list_unwritten",
            "mark_written",
            "claim",
        )
        self._scripts = {name: self._redis.register_script(_lua(name)) for name in names}

    async def start(self) -> None:
        """Raises AppError(unavailable) unless Redis answers."""
        await step(self._redis.ping())

    async def stop(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()

    async def report(self, report: Report) -> ReportResult:
        """See Store.report."""
        header = (report.gateway, report.number, int(report.full), report.connections)
        counts = (len(report.opened), len(report.away))
        users = (*report.opened, *report.away, *report.closed)
        *found, taken = await self._run(
            "report", *header, *counts, *users, keys=self._keys.for_gateway(report.gateway)
        )
        if taken == _CHOICES_MISSING:
            raise ChoicesNotLoaded
        return ReportResult(taken == _TAKEN, _transitions(*found))

    async def leave(self, gateway: str) -> None:
        """See Store.leave."""
        await step(self._redis.zadd(self._keys.leases, {gateway: 0}, xx=True))

    async def begin_sweep(self) -> SweepInfo:
        """See Store.begin_sweep."""
        unattended, choices_loaded, expired = await self._run(
            "begin_sweep", self._timing.max_sweep_gap_ms, GATEWAYS_PER_SWEEP
        )
        return SweepInfo([gateway.decode() for gateway in expired], bool(unattended), bool(choices_loaded))

    async def release(self, gateway: str) -> StepResult:
        """See Store.release."""
        arguments = (gateway, self._timing.users_per_step)
        *found, more = await self._run("release", *arguments, keys=self._keys.for_gateway(gateway))
        return StepResult(_transitions(*found), bool(more))

    async def end_grace_periods(self) -> StepResult:
        """See Store.end_grace_periods."""
        *found, more = await self._run("end_grace_periods", self._timing.users_per_step)
        return StepResult(_transitions(*found), bool(more))

    async def choose(self, choice: Choice) -> ChoiceResult:
        """See Store.choose."""
        *found, has_changed = await self._run("choose", *_row(choice))
        transitions = _transitions(*found)
        return ChoiceResult(transitions[0] if transitions else None, bool(has_changed))

    async def load(self, loader: str, choices: Sequence[Choice], *, first: bool, last: bool) -> bool:
        """See Store.load."""
        rows = [part for choice in choices for part in _row(choice)]
        return bool(await self._run("load", loader, int(first), int(last), *rows))

    async def states(self, user_ids: Sequence[int]) -> States:
        """See Store.states."""
        version, settled, *rest = await self._run("states", *user_ids)
        rows = zip(rest[::3], rest[1::3], rest[2::3], strict=True)
        return States(version, bool(settled), [_state(*row) for row in rows])

    async def scan_present(self, cursor: str) -> PresentPage:
        """See Store.scan_present."""
        further, at_ms, users = await self._run("scan_present", cursor, self._timing.users_per_step)
        return PresentPage(further.decode(), at_ms, [int(user) for user in users])

    async def list_unwritten(self) -> dict[int, int]:
        """See Store.list_unwritten."""
        flat = await self._run("list_unwritten", UNWRITTEN_PER_STEP)
        return {int(user): int(seen) for user, seen in zip(flat[::2], flat[1::2], strict=True)}

    async def mark_written(self, seen: Mapping[int, int]) -> None:
        """See Store.mark_written."""
        await self._run("mark_written", len(seen), *seen.keys(), *seen.values())

    async def get_unwritten(self, user_ids: Collection[int]) -> dict[int, int]:
        """See Store.get_unwritten."""
        users = [str(user_id) for user_id in user_ids]
        found = await step(self._redis.hmget(self._keys.unwritten, users)) if users else []
        return {int(user): int(at) for user, at in zip(users, found, strict=True) if at is not None}

    async def claim(self, task: str, period_ms: int) -> bool:
        """See Store.claim."""
        return bool(await self._run("claim", task, period_ms))

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
