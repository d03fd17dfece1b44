"""Owns a run from beginning to end: people chat, harm is done, all comes to rest, and is judged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.bench import usage
from tests.faults.breath import Breath
from tests.faults.campaigns import Campaign
from tests.faults.cast import Cast, gathered
from tests.faults.device import Device
from tests.faults.door import GONE
from tests.faults.figures import Episode, Figures, Outcome
from tests.faults.harm import Harm
from tests.faults.holes import Holes
from tests.faults.judging import judge
from tests.faults.link_harm import LinkHarm
from tests.faults.plan import Planned, plan
from tests.faults.probe import recovery
from tests.faults.stage import Stage, set_up

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
        figures = Figures(
            episodes=self._episodes,
            servers_cpu_s=usage.read(roots).since(before).servers_s,
            clients_cpu_s=time.process_time() - cpu,
            lasted_s=time.monotonic() - began,
            longest_stall_s=self._breath.longest_s,
        )
        return await judge(self._campaign, self._stage, self._cast, self._holes, figures)

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
