"""Owns the store of one process: the same promises as in Redis, and a clock that tests set."""

from __future__ import annotations

from collections.abc import Sequence

from presence.ports import Outcome, Release, Report, Store, Transition

START_MS = 1_700_000_000_000


class MemoryStore:
    """A Store in dictionaries."""

    def __init__(self, lease_ms: int, patience_ms: int, released_at_once: int) -> None:
        self.now_ms = START_MS
        self._lease_ms = lease_ms
        self._patience_ms = patience_ms
        self._released_at_once = released_at_once
        self._looked_ms = 0
        self._leases: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._users: dict[str, set[int]] = {}

    async def report(self, report: Report) -> Outcome:
        gateway = report.gateway
        alive = self._leases.get(gateway, 0) > self.now_ms
        if not (alive or report.full) or report.number < self._numbers.get(gateway, 0):
            return Outcome(False, [])
        users = self._users.setdefault(gateway, set())
        closed = users.difference(report.opened) if report.full else report.closed
        came = [user for user in dict.fromkeys(report.opened) if user not in self._all()]
        users.update(report.opened)
        went = self._take(gateway, closed)
        self._leases[gateway] = self.now_ms + self._lease_ms
        self._numbers[gateway] = report.number
        online = [Transition(user, True, self.now_ms, self.now_ms) for user in came]
        return Outcome(True, online + [Transition(user, False, self.now_ms, self.now_ms) for user in went])

    async def leave(self, gateway: str) -> None:
        if gateway in self._leases:
            self._leases[gateway] = 0

    async def ended(self) -> list[str]:
        unattended = abs(self.now_ms - self._looked_ms) > self._patience_ms
        self._looked_ms = self.now_ms
        if unattended:
            fresh = self.now_ms + self._lease_ms
            self._leases = {gateway: ends and fresh for gateway, ends in self._leases.items()}
        return [gateway for gateway, ends in self._leases.items() if ends <= self.now_ms]

    async def release(self, gateway: str) -> Release:
        ends = self._leases.get(gateway)
        if ends is None or ends > self.now_ms:
            return Release([], False)
        seen_ms = ends - self._lease_ms if ends else self.now_ms
        users = self._users[gateway]
        went = self._take(gateway, list(users)[: self._released_at_once])
        if not users:
            for table in (self._leases, self._numbers, self._users):
                del table[gateway]
        return Release([Transition(user, False, self.now_ms, seen_ms) for user in went], bool(users))

    async def online(self, user_ids: Sequence[int]) -> list[int]:
        everyone = self._all()
        return [user_id for user_id in user_ids if user_id in everyone]

    def empty(self) -> None:
        """Forgets everything, as Redis does when it is emptied."""
        self._looked_ms = 0
        for table in (self._leases, self._numbers, self._users):
            table.clear()

    def _all(self) -> set[int]:
        return set().union(*self._users.values())

    def _take(self, gateway: str, users: Sequence[int] | set[int]) -> list[int]:
        """Takes `users` from the gateway; returns those who are on no other."""
        held = [user for user in dict.fromkeys(users) if user in self._users[gateway]]
        self._users[gateway].difference_update(held)
        everyone = self._all()
        return [user for user in held if user not in everyone]


_: type[Store] = MemoryStore
