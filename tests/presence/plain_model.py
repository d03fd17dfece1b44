"""Owns a plain model of presence: who holds whom since when, and how everybody therefore has to be seen."""

from __future__ import annotations

from dataclasses import dataclass, field

from messenger_shared.presences import AWAY, OFFLINE, ONLINE
from presence.store import Timing

States = dict[int, str]


@dataclass
class Gateway:
    """What one gateway holds, and what it has told."""

    devices: dict[int, list[bool]] = field(default_factory=dict)
    """User -> of each of his devices, whether it is away."""
    number: int = 0
    silent: bool = False
    """Killed, or cut off: it tells nothing."""

    def states(self) -> States:
        """How its users are here: away when all of their devices are."""
        return {user: AWAY if all(marks) else ONLINE for user, marks in self.devices.items()}


class PlainModel:
    """What presence was told, and what follows from it; `now` is the store's time."""

    def __init__(self, timing: Timing, now: int) -> None:
        self._timing = timing
        self.now = now
        # Gateway -> its users as it told them last, and when it last told anything.
        self.told: dict[str, tuple[States, int]] = {}
        self.invisible: set[int] = set()
        # User -> until when he is seen though nobody holds him, and when he was last there.
        self.leaving: dict[int, tuple[int, int]] = {}
        self.seen: States = {}
        self._since = now

    def vouch(self, gateway: str, states: States) -> None:
        """A gateway told who is there."""
        before = self.told.get(gateway, ({}, 0))[0]
        self.told[gateway] = dict(states), self.now
        self._see({*before, *states}, self.now)

    def renew(self, gateway: str) -> None:
        """It told nothing new."""
        self.told[gateway] = self.told[gateway][0], self.now

    def end(self, gateway: str, seen_ms: int) -> None:
        """A gateway is no more; its users were last there at `seen_ms`."""
        states, _ = self.told.pop(gateway, ({}, 0))
        self._see(set(states), seen_ms)

    def choose(self, user: int, *, invisible: bool) -> None:
        """A user says whether he wants to be seen."""
        (self.invisible.add if invisible else self.invisible.discard)(user)
        self._see({user}, self.leaving.get(user, (0, self.now))[1])

    def lose_everything(self, ms: int) -> None:
        """All is forgotten but what users chose, and found so a little later."""
        self.now += ms
        self.told, self.leaving, self.seen, self._since = {}, {}, {}, self.now

    def pass_time(self, ms: int) -> None:
        """Time passes, and presence looks once."""
        self.now += ms
        for gateway, (_, at) in list(self.told.items()):
            if self.now - at >= self._timing.lease_ms:
                self.end(gateway, at)
        for user, (ends, _) in list(self.leaving.items()):
            if self.now >= ends:
                del self.leaving[user], self.seen[user]

    def how(self, user: int) -> str:
        """How he is seen."""
        return self.seen.get(user, OFFLINE)

    def _see(self, users: set[int], seen_ms: int) -> None:
        for user in users:
            marks = {states[user] for states, _ in self.told.values() if user in states}
            ends = max(seen_ms + self._timing.grace_ms, self._since + self._timing.settle_ms)
            if user not in self.invisible and not marks and user in self.seen and ends > self.now:
                self.leaving[user] = ends, seen_ms
                continue
            self.leaving.pop(user, None)
            if user in self.invisible or not marks:
                self.seen.pop(user, None)
            else:
                self.seen[user] = ONLINE if ONLINE in marks else AWAY
