"""An in-memory presence store: the same promises as in Redis, and a clock that tests set."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from messenger_shared.contract.presence_states import AWAY, OFFLINE, ONLINE
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
    Store,
    SweepInfo,
    Totals,
    Transition,
)
from presence.store import Timing

START_MS = 1_700_000_000_000


class MemoryStore:
    """A Store in dictionaries."""

    def __init__(self, timing: Timing) -> None:
        self.now_ms = START_MS
        self._timing = timing
        self._forget()

    async def report(self, report: Report) -> ReportResult:
        if not self._loaded:
            raise ChoicesNotLoaded
        gateway = report.gateway
        alive = self._leases.get(gateway, 0) > self.now_ms
        if not (alive or report.full) or report.number < self._numbers.get(gateway, 0):
            return ReportResult(False, [])
        users = self._users.setdefault(gateway, {})
        before = self._everybody()
        for user in report.opened:
            users[user] = ONLINE
        for user in report.away:
            users[user] = AWAY
        here = {*report.opened, *report.away}
        for user in set(users) - here if report.full else report.closed:
            users.pop(user, None)
        self._leases[gateway] = self.now_ms + self._timing.lease_ms
        self._numbers[gateway] = report.number
        self._sockets[gateway] = report.connections
        return ReportResult(True, self._show(before | self._everybody(), self.now_ms))

    async def leave(self, gateway: str) -> None:
        if gateway in self._leases:
            self._leases[gateway] = 0

    async def begin_sweep(self) -> SweepInfo:
        unattended = abs(self.now_ms - self._looked) > self._timing.max_sweep_gap_ms
        self._looked = self.now_ms
        if unattended:
            self._since = self.now_ms
            empty_harness = self.now_ms + self._timing.lease_ms
            self._leases = {gateway: ends and empty_harness for gateway, ends in self._leases.items()}
            again = self.now_ms + max(self._timing.grace_ms, self._timing.settle_ms)
            self._leaving = dict.fromkeys(self._leaving, again)
        expired = [gateway for gateway, ends in self._leases.items() if ends <= self.now_ms]
        return SweepInfo(expired, unattended, self._loaded)

    async def release(self, gateway: str) -> StepResult:
        ends = self._leases.get(gateway)
        if ends is None or ends > self.now_ms:
            return StepResult([], False)
        users = self._users.get(gateway, {})
        taken = list(users)[: self._timing.users_per_step]
        for user in taken:
            del users[user]
        transitions = self._show(taken, ends - self._timing.lease_ms if ends else self.now_ms)
        if not users:
            for table in (self._leases, self._numbers, self._sockets, self._users):
                table.pop(gateway, None)
        return StepResult(transitions, bool(users))

    async def end_grace_periods(self) -> StepResult:
        due = [user for user, ends in self._leaving.items() if ends <= self.now_ms]
        due = due[: self._timing.users_per_step]
        changes = []
        for user in due:
            del self._leaving[user], self._shown[user]
            changes.append((user, OFFLINE, min(self._known.pop(user), self.now_ms)))
        return StepResult(self._transitions(changes), len(due) == self._timing.users_per_step)

    async def choose(self, choice: Choice) -> ChoiceResult:
        user = choice.user_id
        if user in self._choices and self._choices[user].version > choice.version:
            return ChoiceResult(None, False)
        self._choices[user] = choice
        is_held = self._real(user) != OFFLINE
        seen = self.now_ms if is_held else self._known.get(user, self.now_ms)
        transitions = self._show([user], seen)
        if is_held:
            self._known[user] = self.now_ms
        if transitions:
            return ChoiceResult(transitions[0], True)
        as_before = (user, self._shown.get(user, OFFLINE), self.now_ms)
        return ChoiceResult(self._versioned([as_before])[0], False)

    async def load(self, loader: str, choices: Sequence[Choice], *, first: bool, last: bool) -> bool:
        if first:
            self._loaders.add(loader)
        elif loader not in self._loaders:
            return False
        for choice in choices:
            if self._choices.get(choice.user_id, choice).version <= choice.version:
                self._choices[choice.user_id] = choice
        if last:
            self._loaders.discard(loader)
            self._loaded = True
        return True

    async def states(self, user_ids: Sequence[int]) -> States:
        return States(
            self._version,
            self._loaded and self.now_ms >= self._certain(),
            [
                State(self._shown.get(user, OFFLINE), self._real(user), *self._flags(user))
                for user in user_ids
            ],
        )

    async def scan_present(self, cursor: str) -> PresentPage:
        users = sorted(user for user in self._everybody() if not self._flags(user)[0])
        return PresentPage("0", self.now_ms - self._timing.lease_ms, users)

    async def list_unwritten(self) -> dict[int, int]:
        return dict(self._unwritten)

    async def mark_written(self, seen: Mapping[int, int]) -> None:
        for user, at in seen.items():
            if self._unwritten.get(user) == at:
                del self._unwritten[user]

    async def get_unwritten(self, user_ids: Collection[int]) -> dict[int, int]:
        return {user: self._unwritten[user] for user in user_ids if user in self._unwritten}

    async def claim(self, task: str, period_ms: int) -> bool:
        claimed = self._claims.get(task)
        if claimed is not None and abs(self.now_ms - claimed) < period_ms:
            return False
        self._claims[task] = self.now_ms
        return True

    async def totals(self) -> Totals:
        return Totals(len(self._shown), dict(self._sockets))

    def empty(self) -> None:
        """Forgets everything, as Redis does when it is emptied."""
        self._forget()

    def _forget(self) -> None:
        self._looked = self._version = 0
        self._since: int | None = None
        self._loaded = False
        self._leases: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._sockets: dict[str, int] = {}
        self._users: dict[str, dict[int, str]] = {}
        self._shown: dict[int, str] = {}
        # User -> when their grace period ends.
        self._leaving: dict[int, int] = {}
        # User -> when they were last known to be there.
        self._known: dict[int, int] = {}
        self._choices: dict[int, Choice] = {}
        self._loaders: set[str] = set()
        # Users who went -> when they were last there.
        self._unwritten: dict[int, int] = {}
        self._claims: dict[str, int] = {}

    def _everybody(self) -> set[int]:
        return set().union(*self._users.values())

    def _real(self, user: int) -> str:
        marks = {users[user] for users in self._users.values() if user in users}
        return ONLINE if ONLINE in marks else AWAY if marks else OFFLINE

    def _flags(self, user: int) -> tuple[bool, bool]:
        choice = self._choices.get(user)
        return (choice.invisible, choice.hides) if choice is not None else (False, False)

    def _certain(self) -> int:
        return (self.now_ms if self._since is None else self._since) + self._timing.settle_ms

    def _show(self, users: Iterable[int], seen: int) -> list[Transition]:
        """Brings what others see of these users into line with what is known of them."""
        changes = []
        for user in users:
            old, real = self._shown.get(user, OFFLINE), self._real(user)
            new = OFFLINE if self._flags(user)[0] else real
            last = max(seen, self._known.get(user, 0))
            if new == OFFLINE != old and not self._flags(user)[0]:
                ends = max(last + self._timing.grace_ms, self._certain())
                if ends > self.now_ms:
                    self._leaving[user], self._known[user] = ends, last
                    continue
            self._leaving.pop(user, None)
            if real == OFFLINE:
                self._known.pop(user, None)
            if new != old:
                changes.append((user, new, last))
            if new == OFFLINE:
                self._shown.pop(user, None)
            else:
                self._shown[user] = new
        return self._transitions(changes)

    def _transitions(self, changes: list[tuple[int, str, int]]) -> list[Transition]:
        self._unwritten |= {user: seen for user, status, seen in changes if status == OFFLINE}
        return self._versioned(changes)

    def _versioned(self, changes: list[tuple[int, str, int]]) -> list[Transition]:
        if changes:
            self._version = max(self.now_ms * 1000, self._version + 1)
        return [
            Transition(self._version, user, status, self.now_ms, seen, self._flags(user)[1])
            for user, status, seen in changes
        ]


_: type[Store] = MemoryStore
