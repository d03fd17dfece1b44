"""Owns the campaigns: what each does, to how many, how often, and for how long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from tests.faults.cast import Cast, Population
from tests.faults.plan import Fault

Act = Callable[[Cast], Awaitable[None]]
MINUTES = 60.0


async def nothing_more(cast: Cast) -> None:
    """Most campaigns consist of people who chat, and of harm."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """One kind of run. `drops` is the share of bus messages that are lost all the time."""

    name: str
    seconds: float
    counts: Mapping[Fault, int] = field(default_factory=dict)
    population: Population = field(default_factory=Population)
    workers: str = "gateway=2,chat-api=2,presence=1"
    drops: float = 0.0
    act: Act = nothing_more
    unwanted_endings: frozenset[int] = frozenset()

    def scaled(self, scale: float) -> Campaign:
        """So many times as long, with as many times the faults."""
        counts = {fault: max(1, round(count * scale)) for fault, count in self.counts.items()}
        return replace(self, seconds=self.seconds * scale, counts=counts)


_KILLS = {
    Fault.KILL_GATEWAY: 90,
    Fault.KILL_CHAT_API: 90,
    Fault.KILL_PRESENCE: 90,
    Fault.KILL_ALL_GATEWAY: 10,
    Fault.KILL_ALL_CHAT_API: 10,
    Fault.KILL_ALL_PRESENCE: 10,
}

CAMPAIGNS: Mapping[str, Campaign] = MappingProxyType(
    {campaign.name: campaign for campaign in (Campaign("kills", 9.5 * MINUTES, _KILLS),)}
)
