"""Owns how long things took: from an ack to the devices that were there all the time, and each fault."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import inf

from tests.faults.figures import Episode
from tests.faults.history import History, View
from tests.faults.plan import Fault

# Nobody looks whether what was quicker came in the time of a fault.
_PROMPT_S = 0.2
_UNTIL_RECOVERED = ("bus", "postgres")
_LINK = "link"


def recovery_s(episode: Episode, episodes: Iterable[Episode]) -> float:
    """How long it took until all worked again: since its end, or that of harm to servers in between."""
    if episode.recovered is None:
        return inf
    ends = [
        min(other.recovered or other.ended, episode.recovered)
        for other in episodes
        if not other.fault.startswith(_LINK) and other is not episode and other.begun < episode.recovered
    ]
    return episode.recovered - max([episode.ended, *ends])


def lags(history: History, episodes: Iterable[Episode], seats: set[tuple[int, int]]) -> list[float]:
    """Of each acked message and each of these devices that was there from the ack on: how late it came."""
    acks = {send.acks[0].stored.id: send.acks[0].at for send in history.sends.values() if send.acks}
    windows = sorted((episode.begun, _until(episode)) for episode in episodes)
    # Who is taken out and in again is not there all the time.
    moved = {(absence.user_id, absence.room) for absence in history.absences}
    found = []
    for view in history.views.values():
        if view.seat in seats and (view.seat[0], view.room) not in moved:
            found += _lags(view, acks, history.spells[view.seat], windows)
    return found


def _lags(
    view: View,
    acks: dict[str, float],
    spells: Sequence[tuple[float, float]],
    windows: Sequence[tuple[float, float]],
) -> list[float]:
    starts = [start for start, _ in spells]
    seen: set[str] = set()
    found = []
    for at, told in zip(view.at, view.told, strict=True):
        if told.message is None or told.message.id in seen:
            continue
        seen.add(told.message.id)
        acked = acks.get(told.message.id)
        if acked is None:
            continue
        index = bisect_right(starts, acked) - 1
        if index >= 0 and at <= spells[index][1]:
            found.append(max(0.0, at - _fair_start(acked, at, windows)))
    return found


def _fair_start(acked: float, at: float, windows: Sequence[tuple[float, float]]) -> float:
    """The ack, or the end of the last fault that was between it and the delivery."""
    if at - acked < _PROMPT_S:
        return acked
    ends = [min(until, at) for begun, until in windows if begun < at and until > acked]
    return max([acked, *ends])


def _until(episode: Episode) -> float:
    """From when on everything has to be prompt again. Without Redis or PostgreSQL nothing can be."""
    if episode.fault is Fault.BUS_DROPS:
        return episode.begun
    late = episode.fault.startswith(_UNTIL_RECOVERED)
    return episode.recovered or episode.ended if late else episode.ended


def quantile(values: Sequence[float], share: float) -> float:
    """The value that so many are not above; 0 when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
