"""Injects the faults of a link, each into one of the devices that connect through the proxy."""

from __future__ import annotations

import asyncio
from random import Random

from tests.faults.actors.device import Device
from tests.faults.injection.plan import Fault, Planned
from tests.faults.injection.proxy import Link, Proxy

DELAY_S = (0.1, 1.0)


class LinkFaults:
    """Injects planned faults; each call returns when the fault is over."""

    def __init__(self, proxy: Proxy, devices: list[Device], random: Random) -> None:
        self._proxy = proxy
        self._devices = devices
        self._random = random
        # One fault per device at a time: with two, nobody could tell how long each took.
        self._affected: set[Device] = set()

    async def inject(self, planned: Planned) -> Device | None:
        """Injects the fault and returns the device that suffers it; None if none is connected."""
        found = {link.peer_port: link for link in self._proxy.links}
        ports = [
            (device, device.connection.port) for device in self._devices if device.connection is not None
        ]
        connected = [
            (device, found[port]) for device, port in ports if port in found and device not in self._affected
        ]
        if not connected:
            return None
        device, link = connected[int(planned.pick * len(connected))]
        self._affected.add(device)
        await self._inject(link, planned)
        self._affected.discard(device)
        return device

    async def _inject(self, link: Link, planned: Planned) -> None:
        if planned.fault is Fault.LINK_RESET:
            link.reset()
        elif planned.fault is Fault.LINK_FINISH:
            link.finish()
        elif planned.fault is Fault.LINK_BREAK:
            link.break_next()
        else:
            await self._inject_lasting(link, planned)

    async def _inject_lasting(self, link: Link, planned: Planned) -> None:
        """Injects a fault that lasts for a while."""
        if planned.fault is Fault.LINK_SILENCE:
            link.pause("stalled")
        elif planned.fault is Fault.LINK_SLICE:
            link.slice(self._random)
        else:
            link.delay(self._random.uniform(*DELAY_S))
        await asyncio.sleep(planned.duration_s)
        link.resume("stalled")
        link.slice(None)
        link.delay(0)
