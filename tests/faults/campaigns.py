"""Owns the campaigns: what each does, to how many, how often, and for how long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from tests.faults.cast import Cast, Population
from tests.faults.drivers import order, repeats
from tests.faults.person import Manner
from tests.faults.plan import Fault
from tests.faults.returning import HISTORY, RESUME

# With how many messages of each person.
Act = Callable[[Cast, int], Awaitable[None]]
# Of ten minutes, the rest is for coming, resting and judging.
SECONDS = 560.0
ABNORMAL = 1006


@dataclass(frozen=True, slots=True)
class Campaign:
    """One kind of run: people chat, or do `act` instead, while harm is done."""

    name: str
    seconds: float = SECONDS
    counts: Mapping[Fault, int] = field(default_factory=dict)
    population: Population = field(default_factory=Population)
    workers: str = "gateway=2,chat-api=2,presence=1"
    # The share of bus messages that are lost all the time.
    drops: float = 0.0
    act: Act | None = None
    volume: int = 0
    # Endings of sockets that must not happen; None is every ending.
    unwanted_endings: frozenset[int] | None = frozenset()
    # How long to wait for what never comes.
    patience_s: float = 30.0
    # Whether anything was promised about how long things take.
    has_budgets: bool = True
    # How long what lasts lasts, beside what it lasts in other campaigns.
    haste: float = 1.0

    def scaled(self, scale: float) -> Campaign:
        """So many times as long, with as many times the faults and messages."""
        counts = {fault: max(1, round(count * scale)) for fault, count in self.counts.items()}
        return replace(
            self, seconds=self.seconds * scale, counts=counts, volume=max(1, round(self.volume * scale))
        )


_MIXED = {
    Fault.KILL_GATEWAY: 8,
    Fault.KILL_CHAT_API: 8,
    Fault.KILL_PRESENCE: 4,
    Fault.KILL_ALL_GATEWAY: 2,
    Fault.KILL_ALL_CHAT_API: 2,
    Fault.KILL_ALL_PRESENCE: 2,
    Fault.STOP_GATEWAY: 4,
    Fault.STOP_CHAT_API: 4,
    Fault.STOP_PRESENCE: 2,
    Fault.TERM_GATEWAY: 2,
    Fault.TERM_CHAT_API: 2,
    Fault.TERM_PRESENCE: 2,
    Fault.ROLL_GATEWAY: 2,
    Fault.ROLL_CHAT_API: 2,
    Fault.ROLL_PRESENCE: 2,
    Fault.BUS_SUBSCRIBERS: 10,
    Fault.BUS_EMPTY: 3,
    Fault.BUS_RESTART: 5,
    Fault.BUS_STOP: 4,
    Fault.BUS_CUT: 4,
    Fault.BUS_SILENCE: 4,
    Fault.BUS_DROPS: 6,
    Fault.POSTGRES_FAST: 4,
    Fault.POSTGRES_IMMEDIATE: 4,
    Fault.POSTGRES_TERMINATE: 4,
    Fault.LINK_RESET: 40,
    Fault.LINK_FINISH: 40,
    Fault.LINK_BREAK: 40,
    Fault.LINK_SILENCE: 30,
    Fault.LINK_SLICE: 30,
    Fault.LINK_DELAY: 30,
}
_BRISK = Manner(think_s=(0.2, 0.6))
_KILLS = {
    Fault.KILL_GATEWAY: 90,
    Fault.KILL_CHAT_API: 90,
    Fault.KILL_PRESENCE: 90,
    Fault.KILL_ALL_GATEWAY: 10,
    Fault.KILL_ALL_CHAT_API: 10,
    Fault.KILL_ALL_PRESENCE: 10,
}
_BUS = {
    Fault.BUS_SUBSCRIBERS: 100,
    Fault.BUS_RESTART: 30,
    Fault.BUS_EMPTY: 10,
    Fault.BUS_STOP: 8,
    Fault.BUS_CUT: 8,
    Fault.BUS_SILENCE: 8,
}
_POSTGRES = {Fault.POSTGRES_FAST: 10, Fault.POSTGRES_IMMEDIATE: 10, Fault.POSTGRES_TERMINATE: 40}
_CLIENTS = {
    Fault.LINK_RESET: 250,
    Fault.LINK_FINISH: 200,
    Fault.LINK_BREAK: 200,
    Fault.LINK_SILENCE: 100,
    Fault.LINK_SLICE: 120,
    Fault.LINK_DELAY: 130,
}
_ROLLING = {
    Fault.ROLL_GATEWAY: 20,
    Fault.ROLL_CHAT_API: 20,
    Fault.ROLL_PRESENCE: 20,
    Fault.TERM_GATEWAY: 20,
    Fault.TERM_CHAT_API: 20,
    Fault.TERM_PRESENCE: 10,
}
_MEMBERS = {Fault.KILL_GATEWAY: 20, Fault.BUS_DROPS: 20, Fault.LINK_RESET: 100}
_MOVING = Population(people=30, rooms=(30, 20, 20, 10, 10, 5, 5, 3), moving=8, changes_among_moving=True)
_MANY_SENDERS = Population(people=64, rooms=(64,), devices=(1,), shaky=0, pairs=1, ways=(RESUME,))
_MANY_SOCKETS = Population(
    people=40, rooms=(40, *(10,) * 7), devices=(3,), shaky=0, pairs=1, ways=(RESUME, HISTORY)
)

CAMPAIGNS: Mapping[str, Campaign] = {
    campaign.name: campaign
    for campaign in (
        # Every fault at least once, for the test run.
        Campaign(
            "short",
            seconds=40.0,
            counts=dict.fromkeys(Fault, 1) | dict.fromkeys(_CLIENTS, 4),
            population=Population(people=24, rooms=(24, 12, 6, 4, 2), moving=2, manner=_BRISK),
            haste=0.4,
        ),
        Campaign("mixed", counts=_MIXED, population=Population(moving=3)),
        Campaign("kills", counts=_KILLS, population=Population(moving=2)),
        Campaign("bus", counts=_BUS, population=Population(moving=2)),
        Campaign("postgres", counts=_POSTGRES, population=Population(moving=2)),
        Campaign("clients", counts=_CLIENTS, population=Population(shaky=1.0, moving=2)),
        Campaign("members", counts=_MEMBERS, population=_MOVING),
        # A lost message must cost nobody his socket.
        Campaign("drops", drops=0.01, population=Population(shaky=0, moving=2), unwanted_endings=None),
        Campaign("rolling", counts=_ROLLING, unwanted_endings=frozenset({ABNORMAL})),
        Campaign("order", seconds=0.0, population=_MANY_SENDERS, act=order, volume=2_000),
        Campaign(
            "repeats",
            seconds=300.0,
            counts={Fault.KILL_CHAT_API: 60},
            population=_MANY_SOCKETS,
            act=repeats,
            volume=2_500,
        ),
    )
}
