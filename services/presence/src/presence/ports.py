"""Declares presence's data, and the protocols of the store, the publisher and the contacts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol


class Report(NamedTuple):
    """A gateway's report: users who are active, are away, or left. If `full`, it names all its users.

    `number` grows with every report of a gateway; a repeated report has the same number. `connections` is the
    gateway's number of sockets.
    """

    gateway: str
    number: int
    opened: Sequence[int]
    away: Sequence[int]
    closed: Sequence[int]
    full: bool
    connections: int = 0


class Transition(NamedTuple):
    """How others see a user from now on. Times are by the store's clock, in ms since 1970."""

    version: int
    user_id: int
    status: str
    at_ms: int
    seen_ms: int
    """When the user was last known to be online. After a grace period or a lost gateway, before `at_ms`."""
    hides: bool
    """Whether the user hides when they were last seen."""


class ReportResult(NamedTuple):
    """The result of a report. Unless `known`, it was refused, and the gateway must send a full one."""

    known: bool
    transitions: list[Transition]


class StepResult(NamedTuple):
    """The result of a step on some users. `more` tells whether others are left."""

    transitions: list[Transition]
    more: bool


class SweepInfo(NamedTuple):
    """What a sweeper needs to know. `expired` are gateways whose lease has expired.

    `unattended`: there was no sweep for a while, or the store lost its data.
    """

    expired: list[str]
    unattended: bool
    choices_loaded: bool


class Choice(NamedTuple):
    """What a user chose. A higher `version` is newer. `hides`: last seen is shown to nobody."""

    user_id: int
    version: int
    invisible: bool
    hides: bool


class ChoiceResult(NamedTuple):
    """How a user is seen now; None if the store had a newer choice. `has_changed`: others see that."""

    transition: Transition | None
    has_changed: bool


class State(NamedTuple):
    """The status that others are shown, the real status, and the user's choices."""

    shown: str
    real: str
    invisible: bool
    hides: bool


class States(NamedTuple):
    """Users' states in the order of the request, as of the change `version`.

    Unless `settled`, some gateways may not have reported, so users who look offline may be online, and the
    choices may not be loaded.
    """

    version: int
    settled: bool
    states: list[State]


class PresentPage(NamedTuple):
    """Some users who were online or away at `at_ms`. `cursor` is where to go on, "0" at the end."""

    cursor: str
    at_ms: int
    user_ids: list[int]


class Totals(NamedTuple):
    """The number of users whom others see, and the number of sockets of each gateway."""

    online_users: int
    sockets: dict[str, int]


class ChoicesNotLoaded(Exception):
    """The store doesn't have the users' choices yet. The step was not made."""


class Store(Protocol):
    """The state of presence: live gateways and their users. All presence workers share it.

    Every method is atomic, and each transition is returned to exactly one caller. Methods raise
    AppError(unavailable) when the store can't be reached; the step may have been made, and may be repeated.
    """

    async def report(self, report: Report) -> ReportResult:
        """Takes a report and renews its gateway's lease. Raises ChoicesNotLoaded.

        Refuses a report that isn't full from a gateway without a lease, since earlier reports were missed.
        Refuses a report that is older than the last one.
        """

    async def leave(self, gateway: str) -> None:
        """Ends the gateway's lease. Its users stay until they are released."""

    async def begin_sweep(self) -> SweepInfo:
        """Returns some gateways whose lease has expired, and marks that a sweep has begun.

        If there was no sweep for a while, no reports were taken either. Then each gateway that hasn't left
        gets a new lease, and each user in a grace period gets a new one. So neither an outage of presence nor
        a jump of the clock takes anybody offline.
        """

    async def release(self, gateway: str) -> StepResult:
        """Releases some users of a gateway with an expired lease. Removes the gateway with the last user."""

    async def end_grace_periods(self) -> StepResult:
        """Takes some users offline whose grace period is over."""

    async def choose(self, choice: Choice) -> ChoiceResult:
        """Takes a user's choice, unless the store has a newer one."""

    async def load(self, loader: str, choices: Sequence[Choice], *, first: bool, last: bool) -> bool:
        """Takes choices in pieces. Returns False if the store lost its data: the loader must begin again."""

    async def states(self, user_ids: Sequence[int]) -> States:
        """The states of users."""

    async def scan_present(self, cursor: str) -> PresentPage:
        """Iterates over users with sockets who are not invisible. Some may come twice."""

    async def list_unwritten(self) -> dict[int, int]:
        """Last-seen times (ms since 1970, by user id) of some users that PostgreSQL doesn't have yet."""

    async def mark_written(self, seen: Mapping[int, int]) -> None:
        """Forgets these last-seen times, since PostgreSQL has them now."""

    async def get_unwritten(self, user_ids: Collection[int]) -> dict[int, int]:
        """Last-seen times (ms since 1970) of those of these users that PostgreSQL doesn't have yet."""

    async def claim(self, task: str, period_ms: int) -> bool:
        """Whether the caller is the first to claim the task in this period, so that one worker does it."""

    async def totals(self) -> Totals:
        """The totals for the statistics."""


class Contacts(Protocol):
    """Users who share a conversation. Methods raise AppError when chat-api doesn't answer."""

    async def among(self, user_id: int, user_ids: Collection[int]) -> set[int]:
        """Those of `user_ids` with whom the user shares a conversation."""

    async def page(self, user_id: int, after: int, limit: int) -> list[int]:
        """Up to `limit` users above the id `after` with whom the user shares a conversation, by id."""


class TransitionPublisher(Protocol):
    """Publishes transitions and requests for reports. No method blocks or waits."""

    def publish(self, transitions: Sequence[Transition]) -> None:
        """Publishes transitions."""

    def republish(self, transition: Transition) -> None:
        """Publishes that a user's choice changed, although the status that others see is the same."""

    def request_reports(self) -> None:
        """Asks every gateway to report soon."""


Listener = Callable[[Sequence[Transition]], None]
