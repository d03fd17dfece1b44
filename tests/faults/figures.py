"""Owns what is known of a run when it is over."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.history import History
from tests.faults.plan import Fault
from tests.faults.run import Violation


class Episode(NamedTuple):
    """One fault of a run: from when until when, and when all worked again; None if it never did."""

    fault: Fault
    begun: float
    ended: float
    recovered: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured while it ran."""

    episodes: list[Episode]
    servers_cpu_s: float
    clients_cpu_s: float
    lasted_s: float
    # Of the event loop on which the clients are.
    longest_stall_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """All of it."""

    history: History
    figures: Figures
    # How sockets ended that their devices didn't leave.
    endings: Counter[int]
    violations: list[Violation]
    # From acks to the devices that were there all the time.
    lags: list[float]
    # How long devices were away, each time.
    returns: list[float]
    # Repaired by the gateways.
    holes: float
    # Messages that passed the bus, and that were lost on purpose.
    bus: tuple[int, int]
    # Budgets that were not kept.
    broken: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every promise and every budget was kept."""
        return not (self.violations or self.broken)
