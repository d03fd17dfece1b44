"""Owns what presence is told and says, and what it needs of a store and of chat-api."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol


class Report(NamedTuple):
    """What a gateway says of its users: who is active, who is away, who went; or (`full`) all who are there.

    `number` grows with every report of one gateway, and is the same when one report arrives twice.
    """

    gateway: str
    number: int
    opened: Sequence[int]
    away: Sequence[int]
    closed: Sequence[int]
    full: bool
    connections: int = 0


class Transition(NamedTuple):
    """How others see a user from now on; times are the store's, in milliseconds since 1970."""

    version: int
    user_id: int
    status: str
    at_ms: int
    seen_ms: int
    """When the user was last known to be there: before `at_ms`, by his grace or if a gateway has vanished."""
    hides: bool
    """He tells nobody when that was."""


class Outcome(NamedTuple):
    """What a report brought about. If it isn't `known`, nothing, and only a full report helps."""

    known: bool
    transitions: list[Transition]


class Some(NamedTuple):
    """What a step on some users brought about; `more` if there are others left."""

    transitions: list[Transition]
    more: bool


class Look(NamedTuple):
    """What a sweeper sees: gateways whose lease has ended.

    `unattended` if nobody has looked for a while, or everything was lost; `loaded` if the choices are there.
    """

    ended: list[str]
    unattended: bool
    loaded: bool


class Choice(NamedTuple):
    """What a user chose; a higher `version` is newer."""

    user_id: int
    version: int
    invisible: bool
    hides: bool


class Chosen(NamedTuple):
    """How a user is seen now; None if something newer was known. `moved` if it was otherwise before."""

    transition: Transition | None
    moved: bool


class State(NamedTuple):
    """How a user is seen by others, how he really is, and what he chose."""

    seen: str
    real: str
    invisible: bool
    hides: bool


class States(NamedTuple):
    """How users are, in the order in which they were asked for, as of the change `version`.

    Unless it is `settled`, gateways may not have reported yet, so that who looks offline may be there, and
    choices may not be loaded.
    """

    version: int
    settled: bool
    states: list[State]


class Present(NamedTuple):
    """Some users who were there at `at_ms`, and where to go on, "0" at the end."""

    cursor: str
    at_ms: int
    user_ids: list[int]


class Totals(NamedTuple):
    """How many users are seen, and how many sockets each gateway holds."""

    online_users: int
    sockets: dict[str, int]


class Unloaded(Exception):
    """The store doesn't know yet what users chose; nothing was done."""


class Store(Protocol):
    """Which gateways live and whose sockets they hold, shared by all presence workers.

    Every method is atomic, and each transition is handed to exactly one caller. A store that can't be
    reached raises AppError(unavailable); the step may have been made or not, and may be repeated.
    """

    async def report(self, report: Report) -> Outcome:
        """Takes a report and renews its gateway's lease. Raises Unloaded.

        Refused when an earlier report must have been missed: the gateway has no lease and this report isn't
        full, or a later one was taken already.
        """

    async def leave(self, gateway: str) -> None:
        """Ends the gateway's lease; its users stay until they are released."""

    async def look(self) -> Look:
        """Some gateways whose lease has ended.

        When nobody has looked for a while, nobody has taken reports either: then every gateway that hasn't
        left gets a new lease, and everybody who is leaving a new grace. So neither an outage of presence nor
        a leap of the clock takes anyone offline.
        """

    async def release(self, gateway: str) -> Some:
        """Takes some users from a gateway whose lease has ended, and forgets it with the last of them."""

    async def lapse(self) -> Some:
        """Takes some users offline whose grace is over."""

    async def choose(self, choice: Choice) -> Chosen:
        """Takes what a user chose."""

    async def load(self, loader: str, choices: Sequence[Choice], *, first: bool, last: bool) -> bool:
        """Takes all choices, in pieces; False if everything was lost meanwhile, and he has to begin anew."""

    async def states(self, user_ids: Sequence[int]) -> States:
        """How users are."""

    async def present(self, cursor: str) -> Present:
        """Goes through those who are there and not invisible; some may come twice."""

    async def unwritten(self) -> dict[int, int]:
        """Some users who went, and when they were last there: to be kept where it lasts."""

    async def written(self, seen: Mapping[int, int]) -> None:
        """That is kept now."""

    async def seen(self, user_ids: Collection[int]) -> dict[int, int]:
        """When those of these were last there of whom it isn't kept yet."""

    async def claim(self, task: str, period_ms: int) -> bool:
        """Whether the caller is the first to claim a task in a period: of all workers, one does it."""

    async def totals(self) -> Totals:
        """How much is going on."""


class Contacts(Protocol):
    """Who shares a conversation with whom, which chat-api knows; raises AppError when it doesn't answer."""

    async def among(self, user_id: int, user_ids: Collection[int]) -> set[int]:
        """Those of `user_ids` with whom the user shares a conversation."""

    async def page(self, user_id: int, after: int, limit: int) -> list[int]:
        """The first `limit` above `after` of all with whom he does, by id."""


class Voice(Protocol):
    """What presence says to the world; saying never waits."""

    def tell(self, transitions: Sequence[Transition]) -> None:
        """Others see these users otherwise from now on."""

    def repeat(self, transition: Transition) -> None:
        """Others see the user as before, but for what he tells of himself."""

    def ask_reports(self) -> None:
        """Every gateway shall report soon."""


Listener = Callable[[Sequence[Transition]], None]
