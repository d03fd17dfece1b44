"""Owns the one table that a run ends with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.faults.history import History
from tests.faults.lag import Episode, quantile, recovery_s
from tests.faults.run import Violation

RECOVERY_BUDGET_S = 5.0
LAG_BUDGET_S = 2.0
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that is known of a run when it is over."""

    history: History
    # How sockets ended that their devices didn't leave.
    endings: Counter[int]
    episodes: list[Episode]
    violations: list[Violation]
    lags: list[float]
    # How long devices were away, each time.
    returns: list[float]
    holes: float
    bus: tuple[int, int]
    cpu_s: dict[str, float]
    lasted_s: float
    # Of the event loop on which the clients are.
    longest_stall_s: float
    broken: list[str] = field(default_factory=list)

    def passed(self) -> bool:
        """Whether every promise and every budget was kept."""
        return not (self.violations or self.broken)


def table(outcome: Outcome) -> str:
    """The run in words and figures."""
    lines = ["", *_faults(outcome.episodes), "", *_sends(outcome), "", *_times(outcome), ""]
    lines += _verdict(outcome)
    return "\n".join(lines)


def _faults(episodes: Sequence[Episode]) -> list[str]:
    by_fault: dict[str, list[Episode]] = defaultdict(list)
    for episode in episodes:
        by_fault[episode.fault].append(episode)
    lines = [f"{'fault':22}{'times':>7}{'recovery p50':>15}{'p99':>9}{'max':>9}"]
    for fault in sorted(by_fault):
        times = [recovery_s(e, episodes) for e in by_fault[fault] if e.recovered is not None]
        never = sum(e.recovered is None for e in by_fault[fault])
        p50, p99, top = (quantile(times, share) for share in (0.5, 0.99, 1.0))
        line = f"{fault:22}{len(by_fault[fault]):7}{p50:13.2f} s{p99:7.2f} s{top:7.2f} s"
        lines.append(line + (f"   never: {never}" if never else ""))
    return lines


def _sends(outcome: Outcome) -> list[str]:
    history = outcome.history
    sends = history.sends.values()
    failed = sum(send.failed for send in sends)
    unknown = sum(not send.acks and not send.failed for send in sends)
    retried = sum(send.unknown > 0 for send in sends)
    deliveries = sum(len(view.told) for view in history.views.values())
    acked_changes = sum(change.acked for change in history.changes)
    passed, lost = outcome.bus
    return [
        f"sends      {len(sends)} invoked, {history.acked} acked, {failed} failed, {unknown} unknown;"
        f" {retried} asked again",
        f"changes    {len(history.changes)} asked for, {acked_changes} acked; comings and goings:"
        f" {2 * len(history.absences)}",
        f"devices    {deliveries} things told to {len(history.spells)}; sockets ended: {_endings(outcome.endings)}",
        f"bus        {passed} messages passed, {lost} lost on purpose; holes repaired: {outcome.holes:.0f}",
    ]


def _endings(endings: Counter[int]) -> str:
    return ", ".join(f"{code}: {times}" for code, times in sorted(endings.items())) or "none"


def _times(outcome: Outcome) -> list[str]:
    cpu = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in outcome.cpu_s.items())
    return [
        _quantiles("ack to device", outcome.lags),
        _quantiles("device back", outcome.returns),
        f"{'CPU':16}{cpu}, in {outcome.lasted_s:.0f} s; longest stall of the clients:"
        f" {outcome.longest_stall_s:.2f} s",
    ]


def _quantiles(name: str, values: Sequence[float]) -> str:
    p50, p99, top = (quantile(values, share) for share in (0.5, 0.99, 1.0))
    return f"{name:16}p50 {p50:.3f} s, p99 {p99:.3f} s, max {top:.3f} s, of {len(values)}"


def _verdict(outcome: Outcome) -> list[str]:
    if outcome.passed():
        return ["no violation, every budget kept"]
    counts = Counter(violation.kind for violation in outcome.violations)
    lines = ["VIOLATIONS " + (", ".join(f"{kind}: {n}" for kind, n in counts.items()) or "none")]
    lines += [
        f"  {v.kind}: {v.what} (user and device {v.seat}, {v.room})" for v in outcome.violations[:_SHOWN]
    ]
    lines += [f"BROKEN {what}" for what in outcome.broken]
    return lines
