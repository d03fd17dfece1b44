"""Owns the short campaigns that are aimed at one planted bug each: few people, who chat fast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.faults.campaigns import Campaign
from tests.faults.cast import Population
from tests.faults.drivers import repeats
from tests.faults.person import Manner
from tests.faults.plan import Fault
from tests.faults.returning import RESUME

SECONDS = 7.0
PATIENCE_S = 4.0
FAST = Manner(think_s=(0.05, 0.2))
FEW = Population(people=12, rooms=(12, 6, 4, 2), shaky=0, pairs=2, manner=FAST)
SHAKY = Population(people=12, rooms=(12, 6, 4, 2), shaky=1, pairs=1, ways=(RESUME,), manner=FAST)
MOVING = Population(people=10, rooms=(10, 6, 4), moving=2, shaky=0, pairs=1, manner=FAST)
MANY_SOCKETS = Population(people=12, rooms=(12, 6), devices=(3,), shaky=0, pairs=1)


def aim(counts: Mapping[Fault, int] | None = None, population: Population = FEW, **others: Any) -> Campaign:
    """A campaign of a few seconds with these faults."""
    settings = {"seconds": SECONDS, "patience_s": PATIENCE_S, **others}
    return Campaign("aimed", counts=counts or {}, population=population, **settings)


QUIET = aim(seconds=3.0)
# So much that nothing can be promised about the time.
DROPS = aim(drops=0.05, has_budgets=False)
# In most of them the last message is soon the last one for long.
TAILS = aim(
    population=Population(people=12, rooms=(12, *(3,) * 16), shaky=0, pairs=1, manner=FAST),
    drops=0.15,
    has_budgets=False,
)
REPEATS = aim(population=MANY_SOCKETS, seconds=0.0, act=repeats, volume=60)
CHAT_API_KILLS = aim({Fault.KILL_CHAT_API: 4})
CHAT_API_DIES = aim({Fault.KILL_CHAT_API: 2}, seconds=3.0)
POSTGRES_ENDS = aim({Fault.POSTGRES_IMMEDIATE: 2}, seconds=5.0)
SUBSCRIBERS_CUT = aim({Fault.BUS_SUBSCRIBERS: 1}, seconds=3.0)
REDIS_EMPTIED = aim({Fault.BUS_EMPTY: 1}, seconds=3.0)
LINKS_CUT = aim({Fault.LINK_RESET: 60}, SHAKY)
COMINGS = aim(population=MOVING)
COMINGS_AND_CUTS = aim(
    {Fault.LINK_RESET: 60},
    Population(people=10, rooms=(10, 6, 4), moving=3, shaky=1, pairs=1, ways=(RESUME,), manner=FAST),
)
