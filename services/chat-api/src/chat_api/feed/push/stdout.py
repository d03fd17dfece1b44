"""A channel that prints pushes, for kinds of devices without an adapter, and for whoever builds one."""

from __future__ import annotations

import asyncio

import orjson

from chat_api.push.model import Device, Push, Result


class Stdout:
    """A Channel that writes a line of JSON for each push."""

    async def send(self, device: Device, push: Push) -> Result:
        """Prints the push. A reader that is slow holds up none but these pushes."""
        line = orjson.dumps({"kind": device.kind, "endpoint": device.endpoint, **push._asdict()}).decode()
        await asyncio.to_thread(print, line, flush=True)
        return Result("sent")
