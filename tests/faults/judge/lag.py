"""Measures delays: from an ack to each delivery, and from the end of each fault to recovery."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from math import inf

from tests.faults.injection.plan import Fault
from tests.faults.judge.outcome import Episode
from tests.faults.record.history import DeviceView, History

# A delay below this is prompt. It isn't compared with the faults.
_PROMPT_S = 0.2
_UNTIL_RECOVERED = ("bus", "postgres")
_LINK = "link"


def recovery_s(episode: Episode, episodes: Iterable[Episode]) -> float:
    """Returns the seconds to recovery, from the end of this fault or of a later server fault before it."""
    if episode.recovered is None:
        return inf
    ends = [
        min(other.recovered or other.ended, episode.recovered)
        for other in episodes
        if not other.fault.startswith(_LINK) and other is not episode and other.begun < episode.recovered
    ]
    return episode.recovered - max([episode.ended, *ends])


def lags(
    history: History,
    episodes: Sequence[Episode],
    device_ids: set[tuple[int, int]],
    shard_of: Callable[[str], int],
) -> list[float]:
    """Returns the delay of each acked message at each of these devices that was up to date since the ack.

    `shard_of` tells which Redis server has a conversation. The loss of another one is no excuse for a delay.
    """
    acks = {send.acks[0].stored.id: send.acks[0].at for send in history.sends.values() if send.acks}
    windows = {
        room: sorted((one.begun, _until(one)) for one in episodes if one.shard in (None, shard_of(room)))
        for room in history.members
    }
    # A user who was removed and added again was not there all the time.
    moved = {(absence.user_id, absence.room) for absence in history.absences}
    found = []
    for view in history.views.values():
        if view.device_id in device_ids and (view.device_id[0], view.room) not in moved:
            found += _lags(view, acks, history.up_to_date_spans[view.device_id], windows[view.room])
    return found


def acks_beside(history: History, episodes: Iterable[Episode], shard_of: Callable[[str], int]) -> list[float]:
    """Returns how long each ack took of what was sent while a Redis server was away that doesn't have it.

    By sockets alone: for a request by REST, the gateway may have to ask for the user, through another server.
    """
    away = [one for one in episodes if one.shard is not None]
    return [
        send.acks[0].at - send.at
        for send in history.sends.values()
        if send.acks
        and send.position is not None
        and any(one.begun <= send.at <= one.ended and one.shard != shard_of(send.room) for one in away)
    ]


def _lags(
    view: DeviceView,
    acks: dict[str, float],
    up_to_date_spans: Sequence[tuple[float, float]],
    windows: Sequence[tuple[float, float]],
) -> list[float]:
    starts = [start for start, _ in up_to_date_spans]
    seen: set[str] = set()
    found = []
    for at, event in zip(view.at, view.events, strict=True):
        if event.message is None or event.message.id in seen:
            continue
        seen.add(event.message.id)
        acked = acks.get(event.message.id)
        if acked is None:
            continue
        index = bisect_right(starts, acked) - 1
        if index >= 0 and at <= up_to_date_spans[index][1]:
            found.append(max(0.0, at - _fair_start(acked, at, windows)))
    return found


def _fair_start(acked: float, at: float, windows: Sequence[tuple[float, float]]) -> float:
    """Returns the time of the ack, or of the end of the last fault between it and the delivery."""
    if at - acked < _PROMPT_S:
        return acked
    ends = [min(until, at) for begun, until in windows if begun < at and until > acked]
    return max([acked, *ends])


def _until(episode: Episode) -> float:
    """Returns when deliveries have to be prompt again. Without Redis or PostgreSQL nothing can be prompt."""
    if episode.fault is Fault.BUS_DROPS:
        return episode.begun
    late = episode.fault.startswith(_UNTIL_RECOVERED)
    return episode.recovered or episode.ended if late else episode.ended


def quantile(values: Sequence[float], share: float) -> float:
    """Returns the quantile `share` of the values; 0 when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
