"""Tracks which workers are alive: workers send heartbeats, callers keep a list and pick from it.

Heartbeats go through every Redis server, so that the loss of one makes no worker look dead.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import zlib
from collections.abc import Callable
from typing import Final

import orjson

from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus

log = logging.getLogger(__name__)

HEARTBEAT_S: Final = 1.0
DEAD_AFTER_S: Final = 3.5
ALIVE: Final = "alive"
DEGRADED: Final = "degraded"
LEAVING: Final = "leaving"
# `drop_silent` runs more often than this, unless its own process is stalled.
STALL_S: Final = 0.5
_HEARTBEAT_REQUEST: Final = b"?"
_MULTIPLIER: Final = 0x9E3779B97F4A7C15
_MASK: Final = 2**64 - 1


class Announcer:
    """Publishes this worker's heartbeat on `workers:{service}`, every second and on request.

    A worker that can't do all its work reports itself as degraded. It gets requests only if no worker is
    healthy.
    """

    def __init__(self, bus: Bus, service: str, is_healthy: Callable[[], bool] = lambda: True) -> None:
        self._bus = bus
        self._is_healthy = is_healthy
        self._channels = [channels.workers(service) + lane for lane in bus.lanes]
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Starts the heartbeat."""
        await self._bus.subscribe(self._channels, self._on_message)
        self._task = asyncio.create_task(self._announce(), name="announcer")

    async def stop(self) -> None:
        """Stops the heartbeat and publishes LEAVING, so that callers send no new requests."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._bus.unsubscribe(self._channels)
        self._publish(LEAVING)

    async def _announce(self) -> None:
        while True:
            self._publish_state()
            await asyncio.sleep(HEARTBEAT_S)

    def _publish_state(self) -> None:
        self._publish(ALIVE if self._is_healthy() else DEGRADED)

    def _publish(self, state: str) -> None:
        for channel in self._channels:
            self._bus.publish(channel, orjson.dumps({"worker": self._bus.worker, "state": state}))

    def _on_message(self, payload: bytes) -> None:
        if payload == _HEARTBEAT_REQUEST:
            self._publish_state()


class Roster:
    """The workers of one service that a caller believes to be alive."""

    def __init__(self, bus: Bus, service: str, on_gone: Callable[[str], None]) -> None:
        self._bus = bus
        self._channels = [channels.workers(service) + lane for lane in bus.lanes]
        self._on_gone = on_gone
        self._last_seen: dict[str, float] = {}
        self._weights: dict[str, int] = {}
        self._degraded: set[str] = set()
        # The workers to pick from, with their weights: the healthy ones, or all if none is healthy.
        self._candidates: dict[str, int] = {}
        self._checked_at = asyncio.get_running_loop().time()

    def __len__(self) -> int:
        return len(self._last_seen)

    @property
    def has_healthy(self) -> bool:
        """Whether some worker isn't degraded."""
        return len(self._degraded) < len(self._last_seen)

    async def start(self) -> None:
        """Subscribes to heartbeats and requests one from every worker now."""
        self._bus.on_gap(self.request_heartbeats)
        await self._bus.subscribe(self._channels, self._on_message)
        self.request_heartbeats()

    def request_heartbeats(self) -> None:
        """Requests a heartbeat from every worker of the service."""
        for channel in self._channels:
            self._bus.publish(channel, _HEARTBEAT_REQUEST)

    def pick(self, key: str, avoid: str = "") -> str | None:
        """The worker for `key`, by rendezvous hashing; `avoid` only if there is no other. May be None."""
        point = zlib.crc32(key.encode()) * _MULTIPLIER & _MASK
        best, best_rank = None, -1
        for worker, weight in self._candidates.items():
            # The multiplication mixes the bits: by XOR alone, half of all keys would rank the workers alike.
            rank = (point ^ weight) * _MULTIPLIER & _MASK
            if worker == avoid:
                rank = 0
            if rank > best_rank:
                best, best_rank = worker, rank
        return best

    def drop(self, worker: str) -> None:
        """Considers `worker` gone until its next heartbeat."""
        if self._forget(worker):
            log.info("worker %s is gone", worker)
        self._on_gone(worker)

    def drop_silent(self) -> None:
        """Drops every worker without a heartbeat for DEAD_AFTER_S, unless the bus itself is away."""
        now = asyncio.get_running_loop().time()
        stall_s = now - self._checked_at - STALL_S
        self._checked_at = now
        if stall_s > 0:
            # This process itself was stalled: heartbeats may have arrived and not been read yet.
            self._last_seen = {worker: min(now, seen + stall_s) for worker, seen in self._last_seen.items()}
        if not self._bus.connected:
            return
        for worker in [w for w, seen in self._last_seen.items() if now - seen > DEAD_AFTER_S]:
            self.drop(worker)

    def restart_timeouts(self) -> None:
        """After a gap, treats every worker as just heard of: its heartbeats may have been lost in the gap."""
        now = asyncio.get_running_loop().time()
        self._last_seen = dict.fromkeys(self._last_seen, now)

    def _forget(self, worker: str) -> bool:
        self._weights.pop(worker, None)
        self._degraded.discard(worker)
        self._update_candidates()
        return self._last_seen.pop(worker, None) is not None

    def _update(self, worker: str, *, is_healthy: bool) -> None:
        """Records whether a worker is healthy. Adds a new worker."""
        if worker in self._last_seen and is_healthy == (worker not in self._degraded):
            return
        digest = hashlib.blake2b(worker.encode(), digest_size=8).digest()
        self._weights[worker] = int.from_bytes(digest)
        (self._degraded.discard if is_healthy else self._degraded.add)(worker)
        self._update_candidates()

    def _update_candidates(self) -> None:
        healthy = {name: weight for name, weight in self._weights.items() if name not in self._degraded}
        self._candidates = healthy or self._weights

    def _on_message(self, payload: bytes) -> None:
        if payload == _HEARTBEAT_REQUEST:
            return
        message = orjson.loads(payload)
        worker = str(message["worker"])
        if message["state"] == LEAVING:
            # It still answers earlier requests; only new ones go elsewhere.
            self._forget(worker)
            return
        self._update(worker, is_healthy=message["state"] != DEGRADED)
        self._last_seen[worker] = asyncio.get_running_loop().time()
