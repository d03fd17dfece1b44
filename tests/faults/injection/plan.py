"""Plans a run: which fault comes when, and for how long. Pure: one seed gives one plan."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from random import Random
from typing import NamedTuple


class Fault(StrEnum):
    """Every fault: of one worker, of all workers of a service, of Redis or PostgreSQL, of a client's link."""

    KILL_GATEWAY = "kill gateway"
    KILL_CHAT_API = "kill chat-api"
    KILL_PRESENCE = "kill presence"
    KILL_FEED = "kill feed"
    KILL_ALL_GATEWAY = "kill all gateway"
    KILL_ALL_CHAT_API = "kill all chat-api"
    KILL_ALL_PRESENCE = "kill all presence"
    KILL_ALL_FEED = "kill all feed"
    STOP_GATEWAY = "stop gateway"
    STOP_CHAT_API = "stop chat-api"
    STOP_PRESENCE = "stop presence"
    STOP_FEED = "stop feed"
    TERM_GATEWAY = "term gateway"
    TERM_CHAT_API = "term chat-api"
    TERM_PRESENCE = "term presence"
    TERM_FEED = "term feed"
    ROLL_GATEWAY = "roll gateway"
    ROLL_CHAT_API = "roll chat-api"
    ROLL_PRESENCE = "roll presence"
    ROLL_FEED = "roll feed"
    BUS_SUBSCRIBERS = "bus subscribers"
    BUS_EMPTY = "bus empty"
    BUS_RESTART = "bus restart"
    BUS_STOP = "bus stop"
    BUS_CUT = "bus cut"
    BUS_SILENCE = "bus silence"
    BUS_DROPS = "bus drops"
    POSTGRES_FAST = "postgres fast"
    POSTGRES_IMMEDIATE = "postgres immediate"
    POSTGRES_TERMINATE = "postgres terminate"
    LINK_RESET = "link reset"
    LINK_FINISH = "link finish"
    LINK_BREAK = "link break"
    LINK_SILENCE = "link silence"
    LINK_SLICE = "link slice"
    LINK_DELAY = "link delay"


# The shortest and the longest duration in seconds; a fault that isn't listed has none.
LASTING: Mapping[Fault, tuple[float, float]] = {
    Fault.STOP_GATEWAY: (1.0, 5.0),
    Fault.STOP_CHAT_API: (1.0, 5.0),
    Fault.STOP_PRESENCE: (1.0, 5.0),
    # Long enough for a lease to end.
    Fault.STOP_FEED: (1.0, 15.0),
    Fault.BUS_RESTART: (0.1, 2.0),
    Fault.BUS_STOP: (1.0, 5.0),
    Fault.BUS_SILENCE: (1.0, 5.0),
    Fault.BUS_DROPS: (2.0, 5.0),
    Fault.LINK_SILENCE: (0.5, 8.0),
    Fault.LINK_SLICE: (0.5, 2.0),
    Fault.LINK_DELAY: (0.5, 2.0),
}


class Planned(NamedTuple):
    """One planned fault: `at` is in seconds from the start, `pick` (0 to 1) chooses one of the possible
    victims.
    """

    at: float
    fault: Fault
    duration_s: float
    pick: float


def plan(
    random: Random, counts: Mapping[Fault, int], seconds: float, duration_factor: float = 1.0
) -> list[Planned]:
    """Plans each fault as often as `counts` says, spread over the time, without a common rhythm."""
    found = []
    for fault, count in counts.items():
        for number in range(count):
            # Spread out: the supervisor waits longer before each restart of a server that ends repeatedly.
            at = (number + random.uniform(0.25, 0.75)) * seconds / count
            shortest, longest = LASTING.get(fault, (0.0, 0.0))
            found.append(
                Planned(at, fault, duration_factor * random.uniform(shortest, longest), random.random())
            )
    return sorted(found)
