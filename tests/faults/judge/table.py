"""Renders the table that a run ends with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from tests.faults.judge.lag import quantile, recovery_s
from tests.faults.judge.outcome import Episode, Outcome
from tests.faults.record.host_log import HostLog

_SHOWN = 20


def table(outcome: Outcome) -> str:
    """Returns the outcome of a run as text."""
    lines = ["", *_faults(outcome.measurements.episodes), "", *_sends(outcome), "", *_times(outcome), ""]
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
        connection = f"{fault:22}{len(by_fault[fault]):7}{p50:13.2f} s{p99:7.2f} s{top:7.2f} s"
        lines.append(connection + (f"   never: {never}" if never else ""))
    return lines


def _sends(outcome: Outcome) -> list[str]:
    history = outcome.history
    sends = history.sends.values()
    failed = sum(send.failed for send in sends)
    unknown = sum(not send.acks and not send.failed for send in sends)
    retried = sum(send.unknown > 0 for send in sends)
    deliveries = sum(len(view.events) for view in history.views.values())
    acked_changes = sum(change.acked for change in history.changes)
    uploads = history.uploads.values()
    passed, lost = outcome.bus
    return [
        f"sends      {len(sends)} invoked, {history.acked} acked, {failed} failed, {unknown} unknown;"
        f" {retried} asked again",
        f"changes    {len(history.changes)} asked for, {acked_changes} acked; comings and goings:"
        f" {2 * len(history.absences)}",
        f"reactions  and pins: {len(history.annotations)} asked for,"
        f" {sum(one.acked for one in history.annotations)} acked",
        f"files      {len(uploads)} uploaded, {sum(one.acked for one in uploads)} acked,"
        f" {sum(one.is_picture for one in uploads)} of them pictures",
        f"searches   {len(history.searches)}, and {sum(bool(one.hits) for one in history.searches)} found",
        f"devices    {deliveries} events to {len(history.up_to_date_spans)};"
        f" sockets ended: {_close_codes(outcome.close_codes)}",
        f"bus        {passed} messages passed, {lost} lost on purpose; holes repaired: {outcome.holes:.0f}",
        *map(_host, history.hosts),
    ]


def _host(log: HostLog) -> str:
    acked = sum(bool(send.ids) for send in log.sends.values())
    return (
        f"host       {log.renames} new names and {acked} of {len(log.sends)} messages acked,"
        f" {len(log.room_ids)} conversations by key"
    )


def _close_codes(close_codes: Counter[int]) -> str:
    return ", ".join(f"{code}: {times}" for code, times in sorted(close_codes.items())) or "none"


def _times(outcome: Outcome) -> list[str]:
    m = outcome.measurements
    return [
        _quantiles("ack to device", outcome.lags),
        *([_quantiles("ack beside", outcome.acks_beside)] if outcome.acks_beside else ()),
        _quantiles("device back", outcome.catch_up_times),
        f"{'CPU':16}servers {m.servers_cpu_s:.0f} s, clients and proxies {m.clients_cpu_s:.0f} s,"
        f" in {m.lasted_s:.0f} s; longest stall of the clients {m.longest_stall_s:.2f} s",
    ]


def _quantiles(name: str, values: Sequence[float]) -> str:
    p50, p99, top = (quantile(values, share) for share in (0.5, 0.99, 1.0))
    return f"{name:16}p50 {p50:.3f} s, p99 {p99:.3f} s, max {top:.3f} s, of {len(values)}"


def _verdict(outcome: Outcome) -> list[str]:
    if outcome.passed:
        return ["no violation, every budget kept"]
    counts = Counter(violation.kind for violation in outcome.violations)
    lines = ["VIOLATIONS " + (", ".join(f"{kind}: {n}" for kind, n in counts.items()) or "none")]
    lines += [
        f"  {v.kind}: {v.what} (user and device {v.device_id}, {v.room})" for v in outcome.violations[:_SHOWN]
    ]
    lines += [f"BROKEN {what}" for what in outcome.exceeded]
    return lines
