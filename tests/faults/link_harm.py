"""Owns harm to single clients: each fault of a link, to one of the devices that come through the proxy."""

from __future__ import annotations

import asyncio
from random import Random

from tests.faults.device import Device
from tests.faults.plan import Fault, Planned
from tests.faults.proxy import Passage, Proxy

DELAY_S = (0.1, 1.0)


class LinkHarm:
    """Does what is planned; each call returns when the fault is over."""

    def __init__(self, links: Proxy, devices: list[Device], random: Random) -> None:
        self._links = links
        self._devices = devices
        self._random = random
        # One harm at a time: of two nobody could tell how long each took.
        self._suffering: set[Device] = set()

    async def do(self, planned: Planned) -> Device | None:
        """Does it, and says to whom; to nobody if none is connected."""
        found = {passage.peer_port: passage for passage in self._links.passages}
        ports = [(device, device.line.port) for device in self._devices if device.line is not None]
        connected = [
            (device, found[port]) for device, port in ports if port in found and device not in self._suffering
        ]
        if not connected:
            return None
        device, passage = connected[int(planned.pick * len(connected))]
        self._suffering.add(device)
        await self._harm(passage, planned)
        self._suffering.discard(device)
        return device

    async def _harm(self, passage: Passage, planned: Planned) -> None:
        if planned.fault is Fault.LINK_RESET:
            passage.reset()
        elif planned.fault is Fault.LINK_FINISH:
            passage.finish()
        elif planned.fault is Fault.LINK_BREAK:
            passage.break_next()
        else:
            await self._strain(passage, planned)

    async def _strain(self, passage: Passage, planned: Planned) -> None:
        """What a link bears for a while."""
        if planned.fault is Fault.LINK_SILENCE:
            passage.hold("stalled")
        elif planned.fault is Fault.LINK_SLICE:
            passage.slice(self._random)
        else:
            passage.delay(self._random.uniform(*DELAY_S))
        await asyncio.sleep(planned.lasts_s)
        passage.release("stalled")
        passage.slice(None)
        passage.delay(0)
