"""Defines the campaigns: what each does, to how many users, how often and for how long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from tests.faults.actors.activities import order, repeats
from tests.faults.actors.behaviour import Behaviour
from tests.faults.actors.catch_up import HISTORY, RESUME
from tests.faults.actors.population import Actors, Population
from tests.faults.injection.plan import Fault

# The second argument is the number of messages of each user.
Activity = Callable[[Actors, int], Awaitable[None]]
# Of ten minutes; the rest is for connecting, for settling and for the judge.
SECONDS = 560.0
ABNORMAL = 1006


@dataclass(frozen=True, slots=True)
class Campaign:
    """One kind of run: users chat, or do `activity` instead, while faults are injected."""

    name: str
    seconds: float = SECONDS
    counts: Mapping[Fault, int] = field(default_factory=dict)
    population: Population = field(default_factory=Population)
    workers: str = "gateway=2,chat-api=2,presence=1,feed=1"
    # The share of bus messages that are lost during the whole run.
    drops: float = 0.0
    activity: Activity | None = None
    volume: int = 0
    # Close codes with which no socket may end; None means that no socket may end.
    unwanted_close_codes: frozenset[int] | None = frozenset()
    # How many seconds to wait for something that may never come.
    timeout_s: float = 30.0
    # How many texts are searched for again after each fault of a server, and ten times as many at the end.
    looks: int = 10
    # Whether the delays and recovery times have limits.
    has_budgets: bool = True
    # Factor for the duration of lasting faults, compared with the other campaigns.
    duration_factor: float = 1.0

    def scaled(self, scale: float) -> Campaign:
        """Returns a campaign that lasts `scale` times as long, with as many times the faults and messages."""
        counts = {fault: max(1, round(count * scale)) for fault, count in self.counts.items()}
        return replace(
            self, seconds=self.seconds * scale, counts=counts, volume=max(1, round(self.volume * scale))
        )


_MIXED = {
    Fault.KILL_GATEWAY: 8,
    Fault.KILL_CHAT_API: 8,
    Fault.KILL_PRESENCE: 4,
    Fault.KILL_FEED: 4,
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
_BRISK = Behaviour(think_s=(0.2, 0.6))
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
# Of one of several Redis servers.
_SHARDS = {
    Fault.BUS_SUBSCRIBERS: 20,
    Fault.BUS_RESTART: 20,
    Fault.BUS_EMPTY: 10,
    Fault.BUS_STOP: 14,
    Fault.BUS_CUT: 14,
    Fault.BUS_SILENCE: 14,
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
_CHURNING = Population(users=30, rooms=(30, 20, 20, 10, 10, 5, 5, 3), churning=8, has_edits_during_churn=True)
_HOSTS = {
    Fault.KILL_GATEWAY: 20,
    Fault.KILL_CHAT_API: 20,
    Fault.KILL_ALL_GATEWAY: 4,
    Fault.KILL_ALL_CHAT_API: 4,
    Fault.ROLL_CHAT_API: 4,
    Fault.BUS_RESTART: 8,
    Fault.BUS_EMPTY: 4,
    Fault.POSTGRES_FAST: 8,
    Fault.POSTGRES_IMMEDIATE: 8,
    Fault.POSTGRES_TERMINATE: 8,
}
_SEARCH = {
    Fault.KILL_FEED: 40,
    Fault.KILL_ALL_FEED: 8,
    Fault.STOP_FEED: 12,
    Fault.TERM_FEED: 8,
    Fault.ROLL_FEED: 4,
    Fault.KILL_CHAT_API: 12,
    Fault.KILL_ALL_CHAT_API: 3,
    Fault.BUS_EMPTY: 2,
    Fault.BUS_DROPS: 6,
    Fault.BUS_RESTART: 3,
    Fault.POSTGRES_FAST: 5,
    Fault.POSTGRES_IMMEDIATE: 5,
    Fault.POSTGRES_TERMINATE: 6,
}
_SEARCHING = Behaviour(think_s=(0.2, 0.8), edits=0.12, deletes=0.08, searches=0.25, reacts=0.03, files=0.01)
_MANY_SENDERS = Population(users=64, rooms=(64,), devices=(1,), proxied=0, probes=1, methods=(RESUME,))
_MANY_SOCKETS = Population(
    users=40, rooms=(40, *(10,) * 7), devices=(3,), proxied=0, probes=1, methods=(RESUME, HISTORY)
)

CAMPAIGNS: Mapping[str, Campaign] = {
    campaign.name: campaign
    for campaign in (
        # Every fault at least once, for the test run.
        Campaign(
            "short",
            seconds=40.0,
            counts=dict.fromkeys(Fault, 1) | dict.fromkeys(_CLIENTS, 4),
            population=Population(users=24, rooms=(24, 12, 6, 4, 2), churning=2, hosts=1, behaviour=_BRISK),
            duration_factor=0.4,
        ),
        Campaign("mixed", counts=_MIXED, population=Population(churning=3, hosts=1)),
        Campaign("kills", counts=_KILLS, population=Population(churning=2)),
        Campaign("bus", counts=_BUS, population=Population(churning=2)),
        # Long enough for all that waits for a silent server to notice. No socket may end for it.
        Campaign(
            "shards",
            counts=_SHARDS,
            population=Population(churning=2, probes=8),
            workers="gateway=2,chat-api=2,presence=1,feed=1,redis=3",
            unwanted_close_codes=None,
            duration_factor=2.0,
        ),
        Campaign("postgres", counts=_POSTGRES, population=Population(churning=2)),
        Campaign("clients", counts=_CLIENTS, population=Population(proxied=1.0, churning=2)),
        Campaign("members", counts=_MEMBERS, population=_CHURNING),
        # A lost message must not end any socket.
        Campaign(
            "drops", drops=0.01, population=Population(proxied=0, churning=2), unwanted_close_codes=None
        ),
        Campaign("rolling", counts=_ROLLING, unwanted_close_codes=frozenset({ABNORMAL})),
        # Two feeds, so that each takes over what the other one leaves.
        Campaign(
            "search",
            counts=_SEARCH,
            population=Population(
                users=40, rooms=(40, 20, 12, 8, 6, 4, 3, 2), churning=1, behaviour=_SEARCHING
            ),
            workers="gateway=2,chat-api=2,presence=1,feed=2",
            looks=20,
        ),
        # Host applications at the server's door, beside a few users.
        Campaign("hosts", counts=_HOSTS, population=Population(users=6, rooms=(6, 2), hosts=2)),
        Campaign("order", seconds=0.0, population=_MANY_SENDERS, activity=order, volume=2_000),
        Campaign(
            "repeats",
            seconds=300.0,
            counts={Fault.KILL_CHAT_API: 60},
            population=_MANY_SOCKETS,
            activity=repeats,
            volume=2_500,
        ),
    )
}
