"""Owns who is alive: a service's workers announce themselves, a caller keeps the list and picks one."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import zlib
from collections.abc import Callable
from typing import Final

import orjson

from messenger_shared import channels
from messenger_shared.bus import Bus

log = logging.getLogger(__name__)

HEARTBEAT_S: Final = 1.0
DEAD_AFTER_S: Final = 3.5
_ASK: Final = b"?"
_MIX: Final = 0x9E3779B97F4A7C15
_MASK: Final = 2**64 - 1


class Announcer:
    """Tells `workers:{service}` that this worker lives, every second and whenever somebody asks."""

    def __init__(self, bus: Bus, service: str) -> None:
        self._bus = bus
        self._channel = channels.workers(service)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Announces from now on."""
        await self._bus.subscribe([self._channel], self._on_message)
        self._task = asyncio.create_task(self._announce(), name="announcer")

    async def stop(self) -> None:
        """Says goodbye, so that nobody asks this worker any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._bus.unsubscribe([self._channel])
        self._say("leaving")

    async def _announce(self) -> None:
        while True:
            self._say("alive")
            await asyncio.sleep(HEARTBEAT_S)

    def _say(self, state: str) -> None:
        self._bus.publish(self._channel, orjson.dumps({"worker": self._bus.worker, "state": state}))

    def _on_message(self, payload: bytes) -> None:
        if payload == _ASK:
            self._say("alive")


class Roster:
    """The workers of one service that are believed to live, as one caller sees it."""

    def __init__(self, bus: Bus, service: str, on_gone: Callable[[str], None]) -> None:
        self._bus = bus
        self._channel = channels.workers(service)
        self._on_gone = on_gone
        self._seen: dict[str, float] = {}
        self._weights: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._seen)

    async def start(self) -> None:
        """Listens, and asks so as not to wait for the next heartbeat."""
        self._bus.on_gap(self.ask)
        await self._bus.subscribe([self._channel], self._on_message)
        self.ask()

    def ask(self) -> None:
        """Asks every worker of the service to announce itself now."""
        self._bus.publish(self._channel, _ASK)

    def pick(self, key: str, avoid: str = "") -> str | None:
        """The worker for `key` by rendezvous hashing, another than `avoid` if there is one, or None."""
        point = zlib.crc32(key.encode()) * _MIX & _MASK
        best, best_rank = None, -1
        for worker, weight in self._weights.items():
            # The product mixes: a plain XOR of two hashes would rank workers alike for half of all keys.
            rank = (point ^ weight) * _MIX & _MASK
            if worker == avoid:
                rank = 0
            if rank > best_rank:
                best, best_rank = worker, rank
        return best

    def drop(self, worker: str) -> None:
        """Takes `worker` for gone until it announces itself again."""
        if self._forget(worker):
            log.info("worker %s is gone", worker)
        self._on_gone(worker)

    def drop_silent(self) -> None:
        """Drops every worker whose heartbeat stayed away, unless the bus itself is away."""
        if not self._bus.ready:
            return
        now = asyncio.get_running_loop().time()
        for worker in [w for w, seen in self._seen.items() if now - seen > DEAD_AFTER_S]:
            self.drop(worker)

    def forgive(self) -> None:
        """Gives every worker a fresh allowance, after a gap of the bus that was not theirs."""
        now = asyncio.get_running_loop().time()
        self._seen = dict.fromkeys(self._seen, now)

    def _forget(self, worker: str) -> bool:
        self._weights.pop(worker, None)
        return self._seen.pop(worker, None) is not None

    def _on_message(self, payload: bytes) -> None:
        if payload == _ASK:
            return
        message = orjson.loads(payload)
        worker = str(message["worker"])
        if message["state"] == "leaving":
            # It still answers what it was asked; only new requests go elsewhere.
            self._forget(worker)
            return
        if worker not in self._seen:
            digest = hashlib.blake2b(worker.encode(), digest_size=8).digest()
            self._weights[worker] = int.from_bytes(digest)
        self._seen[worker] = asyncio.get_running_loop().time()
