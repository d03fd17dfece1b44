"""A plain model of presence: who is held by which gateway since when, and how everybody must be seen."""

from __future__ import annotations

from dataclasses import dataclass, field

from messenger_shared.contract.presence_states import AWAY, OFFLINE, ONLINE
from presence.store import Timing

States = dict[int, str]


@dataclass
class Gateway:
    """What one gateway holds, and what it has reported."""

    devices: dict[int, list[bool]] = field(default_factory=dict)
    """User -> whether each of their devices is away."""
    number: int = 0
    silent: bool = False
    """Killed or cut off: it reports nothing."""

    def states(self) -> States:
        """Returns the states of its users: away when all of their devices are."""
        return {user: AWAY if all(marks) else ONLINE for user, marks in self.devices.items()}


class PlainModel:
    """What presence was told, and what follows from it; `now` is the store's time."""

    def __init__(self, timing: Timing, now: int) -> None:
        self._timing = timing
        self.now = now
        # Gateway -> its users in its last report, and when it last reported anything.
        self.reported: dict[str, tuple[States, int]] = {}
        self.invisible: set[int] = set()
        # User -> until when they are seen though nobody holds them, and when they were last there.
        self.leaving: dict[int, tuple[int, int]] = {}
        self.seen: States = {}
        self._since = now

    def report(self, gateway: str, states: States) -> None:
        """A gateway reports its users."""
        before = self.reported.get(gateway, ({}, 0))[0]
        self.reported[gateway] = dict(states), self.now
        self._update_seen({*before, *states}, self.now)

    def renew(self, gateway: str) -> None:
        """A gateway renews its lease without a change."""
        self.reported[gateway] = self.reported[gateway][0], self.now

    def end(self, gateway: str, seen_ms: int) -> None:
        """A gateway ends; its users were last there at `seen_ms`."""
        states, _ = self.reported.pop(gateway, ({}, 0))
        self._update_seen(set(states), seen_ms)

    def choose(self, user: int, *, invisible: bool) -> None:
        """A user chooses whether to be invisible."""
        (self.invisible.add if invisible else self.invisible.discard)(user)
        self._update_seen({user}, self.leaving.get(user, (0, self.now))[1])

    def lose_everything(self, ms: int) -> None:
        """Everything except the choices is lost, and presence notices a little later."""
        self.now += ms
        self.reported, self.leaving, self.seen, self._since = {}, {}, {}, self.now

    def pass_time(self, ms: int) -> None:
        """Time passes, and presence sweeps once."""
        self.now += ms
        for gateway, (_, at) in list(self.reported.items()):
            if self.now - at >= self._timing.lease_ms:
                self.end(gateway, at)
        for user, (ends, _) in list(self.leaving.items()):
            if self.now >= ends:
                del self.leaving[user], self.seen[user]

    def status_of(self, user: int) -> str:
        """Returns how others see the user."""
        return self.seen.get(user, OFFLINE)

    def _update_seen(self, users: set[int], seen_ms: int) -> None:
        for user in users:
            marks = {states[user] for states, _ in self.reported.values() if user in states}
            ends = max(seen_ms + self._timing.grace_ms, self._since + self._timing.settle_ms)
            if user not in self.invisible and not marks and user in self.seen and ends > self.now:
                self.leaving[user] = ends, seen_ms
                continue
            self.leaving.pop(user, None)
            if user in self.invisible or not marks:
                self.seen.pop(user, None)
            else:
                self.seen[user] = ONLINE if ONLINE in marks else AWAY
