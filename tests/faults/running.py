"""Owns a run from beginning to end: people chat, harm is done, all comes to rest, and is judged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.bench import usage
from tests.faults import lag
from tests.faults.archive import presence_of, read_archive
from tests.faults.breath import Breath
from tests.faults.campaigns import Campaign
from tests.faults.cast import Cast, gathered
from tests.faults.checker import check
from tests.faults.device import Device
from tests.faults.door import GONE
from tests.faults.harm import Harm
from tests.faults.holes import Holes
from tests.faults.lag import Episode
from tests.faults.link_harm import LinkHarm
from tests.faults.plan import Planned, plan
from tests.faults.probe import recovery
from tests.faults.stage import Stage, set_up
from tests.faults.table import LAG_BUDGET_S, RECOVERY_BUDGET_S, Outcome
from tests.waiting import until

REPAIRS_LOST_ONE_IN = 1_000
LONGEST_LAG_S = 6.0
_PING_PAUSE_S = 0.02


async def run(campaign: Campaign, seed: int, root: Path, env: Mapping[str, str] | None = None) -> Outcome:
    """Carries out a campaign in the new directory `root`; the outcome tells what was kept and what wasn't."""
    random = Random(seed)
    faults = plan(random, campaign.counts, campaign.seconds, campaign.haste)
    async with (
        set_up(root, random, campaign.workers, env) as stage,
        gathered(stage, campaign.population, random) as cast,
    ):
        return await _Running(campaign, stage, cast, random).carry_out(faults)


class _Running:
    def __init__(self, campaign: Campaign, stage: Stage, cast: Cast, random: Random) -> None:
        self._campaign = campaign
        self._stage = stage
        self._cast = cast
        self._harm = Harm(stage)
        shaky = [device for device in cast.devices if device.door is stage.shaky]
        self._link_harm = LinkHarm(stage.links, shaky, random)
        self._episodes: list[Episode] = []
        self._holes = Holes(stage)
        self._breath = Breath()

    async def carry_out(self, faults: list[Planned]) -> Outcome:
        roots = {"servers": frozenset({self._stage.stack.process.pid})}
        before, cpu, began = usage.read(roots), time.process_time(), time.monotonic()
        async with asyncio.TaskGroup() as group:
            watches = [group.create_task(one.watch()) for one in (self._holes, self._breath)]
            self._stage.losses.rate = self._campaign.drops
            act = self._campaign.act
            self._cast.start(chatting=act is None)
            acting = group.create_task(act(self._cast, self._campaign.volume)) if act else None
            await self._execute(faults, began, group)
            if acting is not None:
                await acting
            for watch in watches:
                watch.cancel()
        lasted = time.monotonic() - began
        cpu_s = {
            "servers": usage.read(roots).since(before).servers_s,
            "clients and proxies": time.process_time() - cpu,
        }
        return await self._judge(cpu_s, lasted)

    async def _execute(self, faults: list[Planned], began: float, group: asyncio.TaskGroup) -> None:
        """Links suffer side by side, servers one after the other."""
        suffering: list[asyncio.Task[None]] = []
        for planned in faults:
            await asyncio.sleep(began + planned.at - time.monotonic())
            if planned.fault.startswith("link"):
                suffering.append(group.create_task(self._harm_a_link(planned)))
            else:
                await self._harm_servers(planned)
        await asyncio.sleep(began + self._campaign.seconds - time.monotonic())
        await asyncio.gather(*suffering)

    async def _harm_servers(self, planned: Planned) -> None:
        begun = time.monotonic()
        gone = await self._harm.do(planned)
        ended = time.monotonic()
        works = await recovery(self._stage, self._cast.pairs, gone, self._campaign.patience_s)
        self._note(planned, begun, ended, works)

    async def _harm_a_link(self, planned: Planned) -> None:
        begun = time.monotonic()
        device = await self._link_harm.do(planned)
        ended = time.monotonic()
        if device is not None:
            self._note(planned, begun, ended, await _lives(device, self._campaign.patience_s))

    def _note(self, planned: Planned, begun: float, ended: float, works: bool) -> None:
        recovered = time.monotonic() if works else None
        self._episodes.append(Episode(planned.fault, begun, ended, recovered))

    async def _judge(self, cpu_s: dict[str, float], lasted_s: float) -> Outcome:
        stage, cast, history = self._stage, self._cast, self._cast.history
        patience_s = self._campaign.patience_s
        await asyncio.gather(*(mover.settle(2 * patience_s) for mover in cast.movers))
        await asyncio.gather(*(person.fall_silent(2 * patience_s) for person in cast.everybody))
        # Not before: what comes last is lost the easiest.
        stage.losses.rate = 0.0
        tables = await stage.tables.read(list(history.members))
        ends = {room: max((m.pos for m in rows), default=1) for room, rows in tables.messages.items()}
        # Who doesn't get there is found by the checker, which can tell what is missing.
        with suppress(AssertionError):
            await until(lambda: _converged(cast, ends), patience_s)
        for device in cast.devices:
            device.note_spell()
        await self._holes.look()
        await read_archive(cast, 2 * patience_s)
        absent = await presence_of(cast, patience_s)
        # From here on nobody answers the server's pings: judging takes its time.
        endings = history.endings.copy()
        direct = {device.seat for device in cast.devices if device.door is stage.door}
        outcome = Outcome(
            history=history,
            endings=endings,
            episodes=self._episodes,
            violations=check(history, tables) + absent,
            lags=lag.lags(history, self._episodes, direct),
            returns=[back - away for device in cast.devices for away, back in device.returns[1:]],
            holes=self._holes.total,
            bus=(stage.losses.passed, stage.losses.lost),
            cpu_s=cpu_s,
            lasted_s=lasted_s,
            longest_stall_s=self._breath.longest_s,
        )
        if self._campaign.has_budgets:
            outcome.broken.extend(_broken(outcome, self._campaign))
        return outcome


async def _lives(device: Device, patience_s: float) -> bool:
    """Whether the device gets an answer again, and how soon."""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            while True:
                with suppress(*GONE):
                    if device.up:
                        await device.open_line().request("ping")
                        return True
                await asyncio.sleep(_PING_PAUSE_S)
    return False


def _converged(cast: Cast, ends: Mapping[str, int]) -> bool:
    return all(
        device.returning.has(room, ends[room])
        for person in cast.everybody
        for device in person.devices
        for room in person.rooms
    )


def _broken(outcome: Outcome, campaign: Campaign) -> list[str]:
    """The budgets that were not kept."""
    found = []
    for episode in outcome.episodes:
        took_s = lag.recovery_s(episode, outcome.episodes)
        if took_s > RECOVERY_BUDGET_S:
            found.append(f"recovery from {episode.fault} took {took_s:.1f} s")
    late = sum(lag_s > LAG_BUDGET_S for lag_s in outcome.lags)
    # Where messages are lost on purpose, so is one in so many of the questions and answers that repair it.
    fair = len(outcome.lags) / REPAIRS_LOST_ONE_IN if outcome.bus[1] else 0
    if late > fair or max(outcome.lags, default=0.0) > LONGEST_LAG_S:
        found.append(f"{late} deliveries later than {LAG_BUDGET_S:.0f} s after the ack")
    for code, times in outcome.endings.items():
        if campaign.unwanted_endings is None or code in campaign.unwanted_endings:
            found.append(f"{times} sockets ended with {code}")
    return found
