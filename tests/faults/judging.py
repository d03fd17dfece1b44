"""Owns the end of a run: all comes to rest, and promises and budgets are held against it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress

from tests.faults.archive import presence_of, read_archive
from tests.faults.campaigns import Campaign
from tests.faults.cast import Cast
from tests.faults.checker import check
from tests.faults.database import Tables
from tests.faults.figures import Figures, Outcome
from tests.faults.holes import Holes
from tests.faults.lag import lags, recovery_s
from tests.faults.stage import Stage
from tests.waiting import until

RECOVERY_BUDGET_S = 5.0
LAG_BUDGET_S = 2.0
# Where messages are lost on purpose, so is one in so many of the questions and answers that repair it.
REPAIRS_LOST_ONE_IN = 1_000
LONGEST_LAG_S = 6.0


async def judge(campaign: Campaign, stage: Stage, cast: Cast, holes: Holes, figures: Figures) -> Outcome:
    """Waits until nobody asks for anything and everybody has everything, and says what of it is wrong."""
    patience_s = campaign.patience_s
    await asyncio.gather(*(mover.settle(2 * patience_s) for mover in cast.movers))
    await asyncio.gather(*(person.fall_silent(2 * patience_s) for person in cast.everybody))
    # Not before: what comes last is lost the easiest.
    stage.losses.rate = 0.0
    tables = await stage.tables.read(list(cast.history.members))
    # Who doesn't get there is found by the checker, which can tell what is missing.
    with suppress(AssertionError):
        await until(lambda: _converged(cast, _ends(tables)), patience_s)
    for device in cast.devices:
        device.note_spell()
    await holes.look()
    await read_archive(cast, 2 * patience_s)
    absent = await presence_of(cast, patience_s)
    # From here on nobody answers the server's pings: judging takes its time.
    endings = cast.history.endings.copy()
    direct = {device.seat for device in cast.devices if device.door is stage.door}
    outcome = Outcome(
        history=cast.history,
        figures=figures,
        endings=endings,
        violations=check(cast.history, tables) + absent,
        lags=lags(cast.history, figures.episodes, direct),
        returns=[back - away for device in cast.devices for away, back in device.returns[1:]],
        holes=holes.total,
        bus=(stage.losses.passed, stage.losses.lost),
    )
    outcome.broken.extend(_broken(outcome, campaign))
    return outcome


def _ends(tables: Tables) -> dict[str, int]:
    """Where the last change of a message stands, in each conversation."""
    return {room: max((row.pos for row in rows), default=1) for room, rows in tables.messages.items()}


def _converged(cast: Cast, ends: Mapping[str, int]) -> bool:
    return all(
        device.returning.has(room, ends[room])
        for person in cast.everybody
        for device in person.devices
        for room in person.rooms
    )


def _broken(outcome: Outcome, campaign: Campaign) -> Iterator[str]:
    """What took too long, and what ended though it should not."""
    for code, times in outcome.endings.items():
        if campaign.unwanted_endings is None or code in campaign.unwanted_endings:
            yield f"{times} sockets ended with {code}"
    if not campaign.has_budgets:
        return
    episodes = outcome.figures.episodes
    for episode in episodes:
        took_s = recovery_s(episode, episodes)
        if took_s > RECOVERY_BUDGET_S:
            yield f"recovery from {episode.fault} took {took_s:.1f} s"
    late = sum(lag_s > LAG_BUDGET_S for lag_s in outcome.lags)
    fair = len(outcome.lags) / REPAIRS_LOST_ONE_IN if outcome.bus[1] else 0
    if late > fair or max(outcome.lags, default=0.0) > LONGEST_LAG_S:
        yield f"{late} deliveries later than {LAG_BUDGET_S:.0f} s after the ack"
