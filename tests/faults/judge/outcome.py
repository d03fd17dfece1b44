"""The measurements and the outcome of a finished run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.injection.plan import Fault
from tests.faults.record.history import History
from tests.faults.record.run import Violation


class Episode(NamedTuple):
    """One fault of a run: its start, its end, and when everything worked again; None if it never did."""

    fault: Fault
    begun: float
    ended: float
    recovered: float | None
    # The number of the Redis server that had it; None for a fault of something else.
    shard: int | None = None


@dataclass(frozen=True, slots=True)
class Measurements:
    """What was measured during the run."""

    episodes: list[Episode]
    servers_cpu_s: float
    clients_cpu_s: float
    lasted_s: float
    # The longest stall of the clients' event loop.
    longest_stall_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """The log, the measurements and the judgement of a run."""

    history: History
    measurements: Measurements
    # Close codes of the sockets that their devices didn't close.
    close_codes: Counter[int]
    violations: list[Violation]
    # Seconds from an ack to each delivery, for devices that were up to date all the time.
    lags: list[float]
    # Seconds from a send to its ack, while a Redis server was away that doesn't have its conversation.
    acks_beside: list[float]
    # Seconds of each absence of a device.
    catch_up_times: list[float]
    # Holes that the gateways repaired.
    holes: float
    # How many messages passed the bus, and how many were lost on purpose.
    bus: tuple[int, int]
    # Budgets that were exceeded.
    exceeded: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every promise and every budget was kept."""
        return not (self.violations or self.exceeded)
