"""Owns what presence is told and says, and what a store of it promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol


class Report(NamedTuple):
    """What a gateway says of its users: who came and who went, or (`full`) all of them in `opened`.

    `number` grows with every report of one gateway, and is the same when one report arrives twice.
    """

    gateway: str
    number: int
    opened: Sequence[int]
    closed: Sequence[int]
    full: bool


class Transition(NamedTuple):
    """A user came online or went offline; times are the store's, in milliseconds since 1970."""

    user_id: int
    online: bool
    at_ms: int
    seen_ms: int
    """When the user was last known to be there, which is before `at_ms` if a gateway has vanished."""


class Outcome(NamedTuple):
    """What a report brought about; if it isn't `known`, nothing, and only a full report helps."""

    known: bool
    transitions: list[Transition]


class Release(NamedTuple):
    """The users that were taken from a gateway; `more` if some of its users are left."""

    transitions: list[Transition]
    more: bool


class Store(Protocol):
    """Which gateways live and whose sockets they hold, shared by all presence workers.

    Every method is atomic, and each transition is handed to exactly one caller. A store that can't be
    reached raises AppError(unavailable); the step may have been made or not, and may be repeated.
    """

    async def report(self, report: Report) -> Outcome:
        """Takes a report and renews its gateway's lease.

        Refused when an earlier report must have been missed: the gateway has no lease and this report isn't
        full, or a later one was taken already.
        """

    async def leave(self, gateway: str) -> None:
        """Ends the gateway's lease; its users stay until they are released."""

    async def ended(self) -> list[str]:
        """Some gateways whose lease has ended.

        When nobody has asked for a while, nobody has taken reports either: then every gateway that hasn't
        left gets a new lease. So neither an outage of presence nor a leap of the clock takes anyone offline.
        """

    async def release(self, gateway: str) -> Release:
        """Takes some users from a gateway whose lease has ended, and forgets it with the last of them."""

    async def online(self, user_ids: Sequence[int]) -> list[int]:
        """Those of `user_ids` who are online, in their order."""


Listener = Callable[[Sequence[Transition]], None]
