"""Ends a run: waits until everything is at rest, then checks the promises and the budgets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from random import Random

from tests.faults.actors.population import Actors
from tests.faults.actors.second_looks import SecondLooks
from tests.faults.campaigns import Campaign
from tests.faults.injection.deployment import Deployment
from tests.faults.judge.checker import check
from tests.faults.judge.holes import HoleCounter
from tests.faults.judge.hosts import check_host
from tests.faults.judge.lag import acks_beside, lags, recovery_s
from tests.faults.judge.outcome import Measurements, Outcome
from tests.faults.record.archive import presence_of, read_archive
from tests.faults.record.database import Tables
from tests.faults.record.downloads import downloads, files_settled, inconsistencies
from tests.faults.record.run import Violation
from tests.faults.record.search_index import index_settled
from tests.faults.record.unread import unread_mentions
from tests.waiting import until

RECOVERY_BUDGET_S = 5.0
LAG_BUDGET_S = 2.0
# Until the search index has everything, and nothing that is gone.
INDEX_BUDGET_S = 60.0
# Where messages are lost on purpose, one in so many of the questions and answers that repair it is lost too.
REPAIRS_LOST_ONE_IN = 1_000
LONGEST_LAG_S = 6.0


async def judge(
    campaign: Campaign, deployment: Deployment, actors: Actors, holes: HoleCounter, measurements: Measurements
) -> Outcome:
    """Waits until every request is answered and every device is up to date, then returns the outcome."""
    timeout_s = campaign.timeout_s
    await _at_rest(deployment, actors, timeout_s)
    found = [
        violation
        for log in actors.history.hosts
        for violation in check_host(log, await deployment.tables.read_host(log))
    ]
    tables = await deployment.tables.read(list(actors.history.members))
    # The checker finds the devices that don't get there, and can tell what is missing.
    with suppress(AssertionError):
        positions = {room: max(tables.last_positions(room)) for room in tables.messages}
        await until(lambda: _converged(actors, positions), timeout_s)
    for device in actors.devices:
        device.record_up_to_date()
    await holes.read_count()
    await read_archive(actors, 2 * timeout_s)
    found += _wrongly_offline(campaign, actors)
    found += await presence_of(actors, timeout_s) + await unread_mentions(actors, tables, 2 * timeout_s)
    found += await _searches_and_files(campaign, deployment, actors, tables)
    # From here on no client answers the server's pings, since judging blocks the loop.
    close_codes = actors.history.close_codes.copy()
    direct = {device.device_id for device in actors.devices if device.gateway is deployment.direct}
    outcome = Outcome(
        history=actors.history,
        measurements=measurements,
        close_codes=close_codes,
        violations=check(actors.history, tables) + found,
        lags=lags(actors.history, measurements.episodes, direct, deployment.shard_of),
        acks_beside=acks_beside(actors.history, measurements.episodes, deployment.shard_of),
        catch_up_times=[back - away for device in actors.devices for away, back in device.catch_up_times[1:]],
        holes=holes.total,
        bus=(deployment.losses.passed, deployment.losses.lost),
    )
    outcome.exceeded.extend(_exceeded_budgets(outcome, campaign))
    return outcome


def _wrongly_offline(campaign: Campaign, actors: Actors) -> list[Violation]:
    """Finds users who were shown as offline in a run in which no socket may end."""
    users = actors.history.shown_offline if campaign.unwanted_close_codes is None else ()
    return [Violation("absent", (user_id, 0), "", "shown as offline with a socket") for user_id in users]


async def _searches_and_files(
    campaign: Campaign, deployment: Deployment, actors: Actors, tables: Tables
) -> list[Violation]:
    found: list[Violation] = []
    if actors.history.searches:
        found += await index_settled(deployment.tables, INDEX_BUDGET_S)
        looks = SecondLooks(actors, Random(len(actors.history.sends)))
        await looks.look(10 * campaign.looks, 2 * campaign.timeout_s)
    if actors.history.uploads:
        found += await downloads(actors, tables, 2 * campaign.timeout_s)
    if actors.history.searches or actors.history.uploads:
        found += await inconsistencies(deployment)
    return found


async def _at_rest(deployment: Deployment, actors: Actors, timeout_s: float) -> None:
    await asyncio.gather(*(churn.settle(2 * timeout_s) for churn in actors.churns))
    await asyncio.gather(*(user.finish(2 * timeout_s) for user in actors.all_users))
    await asyncio.gather(*(host.finish(2 * timeout_s) for host in actors.hosts))
    # Not before: the last messages are the easiest to lose.
    deployment.losses.rate = 0.0
    await files_settled(deployment.tables, timeout_s)


def _converged(actors: Actors, positions: Mapping[str, int]) -> bool:
    return all(
        device.catch_up.has(room, positions[room])
        for user in actors.all_users
        for device in user.devices
        for room in user.rooms
    )


def _exceeded_budgets(outcome: Outcome, campaign: Campaign) -> Iterator[str]:
    """Yields what took too long, and what ended although it should not."""
    for code, times in outcome.close_codes.items():
        if campaign.unwanted_close_codes is None or code in campaign.unwanted_close_codes:
            yield f"{times} sockets ended with {code}"
    if not campaign.has_budgets:
        return
    episodes = outcome.measurements.episodes
    for episode in episodes:
        took_s = recovery_s(episode, episodes)
        if took_s > RECOVERY_BUDGET_S:
            yield f"recovery from {episode.fault} took {took_s:.1f} s"
    late = sum(lag_s > LAG_BUDGET_S for lag_s in outcome.lags)
    allowed = len(outcome.lags) / REPAIRS_LOST_ONE_IN if outcome.bus[1] else 0
    if late > allowed or max(outcome.lags, default=0.0) > LONGEST_LAG_S:
        yield f"{late} deliveries later than {LAG_BUDGET_S:.0f} s after the ack"
    if late := sum(ack_s > LAG_BUDGET_S for ack_s in outcome.acks_beside):
        yield f"{late} acks later than {LAG_BUDGET_S:.0f} s, though their Redis server was there"
