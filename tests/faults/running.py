"""Runs a campaign from beginning to end: users chat, faults are injected, the result is judged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.bench import usage
from tests.faults.actors.device import Device
from tests.faults.actors.gateway_client import GONE
from tests.faults.actors.population import Actors, connected_actors
from tests.faults.actors.probe import recovery
from tests.faults.actors.second_looks import SecondLooks
from tests.faults.campaigns import Campaign
from tests.faults.injection.deployment import Deployment, deployed
from tests.faults.injection.link_faults import LinkFaults
from tests.faults.injection.plan import Planned, plan
from tests.faults.injection.server_faults import ServerFaults
from tests.faults.judge.holes import HoleCounter
from tests.faults.judge.judging import judge
from tests.faults.judge.outcome import Episode, Measurements, Outcome
from tests.faults.stall_monitor import StallMonitor

_PING_PAUSE_S = 0.02


async def run(campaign: Campaign, seed: int, root: Path, env: Mapping[str, str] | None = None) -> Outcome:
    """Runs a campaign in the new directory `root`; the outcome tells which promises and budgets were kept."""
    random = Random(seed)
    faults = plan(random, campaign.counts, campaign.seconds, campaign.duration_factor)
    async with (
        deployed(root, random, campaign.workers, env) as deployment,
        connected_actors(deployment, campaign.population, random) as actors,
    ):
        return await _Running(campaign, deployment, actors, random).carry_out(faults)


class _Running:
    def __init__(self, campaign: Campaign, deployment: Deployment, actors: Actors, random: Random) -> None:
        self._campaign = campaign
        self._deployment = deployment
        self._actors = actors
        self._server_faults = ServerFaults(deployment)
        proxied = [device for device in actors.devices if device.gateway is deployment.proxied]
        self._link_faults = LinkFaults(deployment.client_proxy, proxied, random)
        self._second_looks = SecondLooks(actors, random)
        self._episodes: list[Episode] = []
        self._holes = HoleCounter(deployment)
        self._stall_monitor = StallMonitor()

    async def carry_out(self, faults: list[Planned]) -> Outcome:
        roots = {"servers": frozenset({self._deployment.stack.process.pid})}
        before, cpu, began = usage.read(roots), time.process_time(), time.monotonic()
        async with asyncio.TaskGroup() as group:
            watches = [group.create_task(one.watch()) for one in (self._holes, self._stall_monitor)]
            self._deployment.losses.rate = self._campaign.drops
            activity = self._campaign.activity
            self._actors.start(chatting=activity is None)
            activity_task = (
                group.create_task(activity(self._actors, self._campaign.volume)) if activity else None
            )
            await self._inject_all(faults, began, group)
            if activity_task is not None:
                await activity_task
            for watch in watches:
                watch.cancel()
        measurements = Measurements(
            episodes=self._episodes,
            servers_cpu_s=usage.read(roots).since(before).servers_s,
            clients_cpu_s=time.process_time() - cpu,
            lasted_s=time.monotonic() - began,
            longest_stall_s=self._stall_monitor.longest_s,
        )
        return await judge(self._campaign, self._deployment, self._actors, self._holes, measurements)

    async def _inject_all(self, faults: list[Planned], began: float, group: asyncio.TaskGroup) -> None:
        """Faults of links run side by side, faults of servers one after the other."""
        affected: list[asyncio.Task[None]] = []
        for planned in faults:
            await asyncio.sleep(began + planned.at - time.monotonic())
            if planned.fault.startswith("link"):
                affected.append(group.create_task(self._inject_into_link(planned)))
            else:
                await self._inject_into_servers(planned)
        await asyncio.sleep(began + self._campaign.seconds - time.monotonic())
        await asyncio.gather(*affected)

    async def _inject_into_servers(self, planned: Planned) -> None:
        begun = time.monotonic()
        gone = await self._server_faults.inject(planned)
        ended = time.monotonic()
        is_recovered = await recovery(self._deployment, self._actors.probes, gone, self._campaign.timeout_s)
        self._note(planned, begun, ended, is_recovered)
        if self._actors.history.searches:
            await self._second_looks.look(self._campaign.looks, self._campaign.timeout_s)

    async def _inject_into_link(self, planned: Planned) -> None:
        begun = time.monotonic()
        device = await self._link_faults.inject(planned)
        ended = time.monotonic()
        if device is not None:
            self._note(planned, begun, ended, await _answers(device, self._campaign.timeout_s))

    def _note(self, planned: Planned, begun: float, ended: float, is_recovered: bool) -> None:
        recovered = time.monotonic() if is_recovered else None
        shard = self._server_faults.shard(planned)
        self._episodes.append(Episode(planned.fault, begun, ended, recovered, shard))


async def _answers(device: Device, timeout_s: float) -> bool:
    """Returns True as soon as the device gets an answer again, False after `timeout_s`."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            while True:
                with suppress(*GONE):
                    if device.is_up_to_date:
                        await device.current_connection().request("ping")
                        return True
                await asyncio.sleep(_PING_PAUSE_S)
    return False
