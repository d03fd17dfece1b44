"""Short campaigns, each aimed at one planted bug: few users, who chat fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.faults.actors.activities import repeats
from tests.faults.actors.behaviour import Behaviour
from tests.faults.actors.catch_up import RESUME
from tests.faults.actors.population import Population
from tests.faults.campaigns import Campaign
from tests.faults.injection.plan import Fault

SECONDS = 7.0
TIMEOUT_S = 4.0
# Where nobody searches, a feed would only take time.
WITHOUT_FEED = "gateway=2,chat-api=2,presence=1,feed=0"
WITH_FEED = "gateway=2,chat-api=2,presence=1,feed=1"
FAST = Behaviour(think_s=(0.05, 0.2), files=0, searches=0)
REACTING = Behaviour(think_s=(0.05, 0.2), reacts=0.5, files=0, searches=0)
SEARCHING = Behaviour(think_s=(0.05, 0.2), searches=0.4, edits=0.15, files=0)
UPLOADING = Behaviour(think_s=(0.05, 0.2), files=0.6, searches=0)
FEW = Population(users=12, rooms=(12, 6, 4, 2), proxied=0, probes=2, behaviour=FAST)
PROXIED = Population(users=12, rooms=(12, 6, 4, 2), proxied=1, probes=1, methods=(RESUME,), behaviour=FAST)
CHURNING = Population(users=10, rooms=(10, 6, 4), churning=2, proxied=0, probes=1, behaviour=FAST)
MANY_SOCKETS = Population(users=12, rooms=(12, 6), devices=(3,), proxied=0, probes=1)


def short_campaign(
    counts: Mapping[Fault, int] | None = None, population: Population = FEW, **others: Any
) -> Campaign:
    """Returns a campaign of a few seconds with these faults."""
    settings = {"seconds": SECONDS, "timeout_s": TIMEOUT_S, "workers": WITHOUT_FEED, **others}
    return Campaign("aimed", counts=counts or {}, population=population, **settings)


HOSTS = short_campaign(
    {Fault.KILL_CHAT_API: 1},
    population=Population(users=2, rooms=(2,), proxied=0, probes=1, hosts=2, behaviour=FAST),
    has_budgets=False,
)
QUIET = short_campaign(seconds=3.0)
# So many losses that no delay is promised.
DROPS = short_campaign(drops=0.05, has_budgets=False)
# Most of these conversations soon fall silent, so a lost last message is not noticed by a later one.
TAILS = short_campaign(
    population=Population(users=12, rooms=(12, *(3,) * 16), proxied=0, probes=1, behaviour=FAST),
    drops=0.15,
    has_budgets=False,
)
REPEATS = short_campaign(population=MANY_SOCKETS, seconds=0.0, activity=repeats, volume=60)
CHAT_API_KILLS = short_campaign({Fault.KILL_CHAT_API: 4})
CHAT_API_DIES = short_campaign({Fault.KILL_CHAT_API: 2}, seconds=3.0)
POSTGRES_ENDS = short_campaign({Fault.POSTGRES_IMMEDIATE: 2}, seconds=5.0)
SUBSCRIBERS_CUT = short_campaign({Fault.BUS_SUBSCRIBERS: 1}, seconds=3.0)
REDIS_EMPTIED = short_campaign({Fault.BUS_EMPTY: 1}, seconds=3.0)
LINKS_CUT = short_campaign({Fault.LINK_RESET: 60}, PROXIED)
CHURN = short_campaign(population=CHURNING)
SEARCHES = short_campaign(
    {Fault.KILL_FEED: 1}, replace(FEW, behaviour=SEARCHING), seconds=4.0, looks=10, workers=WITH_FEED
)
REACTIONS = short_campaign(population=replace(FEW, behaviour=REACTING), seconds=2.0)
REACTIONS_WHILE_POSTGRES_ENDS = replace(POSTGRES_ENDS, population=REACTIONS.population, seconds=3.0)
REACTIONS_AND_CHURN = short_campaign(population=replace(CHURNING, behaviour=REACTING), seconds=5.0)
FILES = short_campaign(
    population=Population(users=6, rooms=(6, 3), proxied=0, probes=1, behaviour=UPLOADING),
    seconds=2.0,
    workers="gateway=1,chat-api=1,presence=1,feed=0",
    has_budgets=False,
)
CHURN_AND_CUTS = short_campaign(
    {Fault.LINK_RESET: 60},
    Population(
        users=10, rooms=(10, 6, 4), churning=3, proxied=1, probes=1, methods=(RESUME,), behaviour=FAST
    ),
)
