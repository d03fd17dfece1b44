"""Implements the bus over Redis Pub/Sub: spreads channels over several servers and supervises each.

Each server has two connections, one to publish and one to subscribe: when Redis cuts off a slow subscriber,
publishing goes on. Pub/Sub drops messages silently, and a frozen Redis sends no error. So each worker sends
itself a tick through each server. Without a tick for TICK_TIMEOUT_S both connections are replaced.
"""

from __future__ import annotations

import asyncio
import logging
import random
import zlib
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from messenger_shared.bus import channels
from messenger_shared.bus.interface import GapListener, Handler, Receipt
from messenger_shared.bus.redis_connection import Address, RedisConnection, RedisConnectionLost, connect
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.observability.metrics import BUS_DROPPED, BUS_GAPS, BUS_ROUND_TRIP
from messenger_shared.settings.common import REDIS_URL
from messenger_shared.settings.environment import SettingsError

log = logging.getLogger(__name__)

TICK_INTERVAL_S: Final = 1.0
TICK_TIMEOUT_S: Final = 3.0
BACKOFF_MIN_S: Final = 0.05
BACKOFF_MAX_S: Final = 2.0
CONFIRM_TIMEOUT_S: Final = 3.0
START_TIMEOUT_S: Final = 10.0
# Begins the endings in `lanes`. No other name of a channel has it.
_LANE: Final = "@"


class RedisBus:
    """A Bus over one or several Redis servers."""

    def __init__(self, urls: Sequence[str], worker: str) -> None:
        self.worker = worker
        lanes = [f"{_LANE}{number}" for number in range(len(urls))]
        self.lanes: Sequence[str] = lanes if len(lanes) > 1 else ("",)
        self._gap_listeners: list[GapListener] = []
        self._shards = [_Shard(Address.parse(url), worker, self._report_gap) for url in urls]

    def lane(self, channel: str) -> str:
        if len(self.lanes) == 1:
            return self.lanes[0]
        number, rest = self._hashed(channel)
        if not self._shards[number].ready.is_set():
            # By the rest of the hash, so that the others share what the absent server carried.
            there = [n for n, shard in enumerate(self._shards) if shard.ready.is_set()] or [number]
            number = there[rest % len(there)]
        return self.lanes[number]

    @property
    def ready(self) -> bool:
        return all(shard.ready.is_set() for shard in self._shards)

    @property
    def connected(self) -> bool:
        return any(shard.ready.is_set() for shard in self._shards)

    def publish(self, channel: str, payload: bytes, receipt: Receipt | None = None) -> None:
        self._shard(channel).publish(channel, payload, receipt)

    async def subscribe(self, channels: Iterable[str], handler: Handler) -> None:
        await self.subscribe_each(dict.fromkeys(channels, handler))

    async def subscribe_each(self, handlers: Mapping[str, Handler]) -> None:
        by_shard: dict[_Shard, dict[str, Handler]] = defaultdict(dict)
        for channel, handler in handlers.items():
            by_shard[self._shard(channel)][channel] = handler
        # Subscribes at every shard before the first wait: if one is away, all still keep the subscription.
        waits = {shard: shard.subscribe(part) for shard, part in by_shard.items()}
        if self.connected:
            waits = {shard: confirmed for shard, confirmed in waits.items() if shard.ready.is_set()}
        try:
            async with asyncio.timeout(CONFIRM_TIMEOUT_S):
                for confirmed in waits.values():
                    await confirmed
        except TimeoutError:
            raise AppError(errors.UNAVAILABLE) from None

    def unsubscribe(self, channels: Iterable[str]) -> None:
        for channel in channels:
            self._shard(channel).unsubscribe(channel)

    def on_gap(self, listener: GapListener) -> None:
        self._gap_listeners.append(listener)

    async def start(self) -> None:
        for shard in self._shards:
            shard.start()
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                for shard in self._shards:
                    await shard.ready.wait()
        except TimeoutError:
            reasons = "; ".join(shard.last_error for shard in self._shards if not shard.ready.is_set())
            if not self.connected:
                await self.stop()
                raise SettingsError(f"{REDIS_URL.name}: {reasons}") from None
            log.warning("starting without one of the redis servers: %s", reasons)
        for shard in self._shards:
            shard.reports_gaps = True

    async def stop(self) -> None:
        for shard in self._shards:
            await shard.stop()

    def _shard(self, channel: str) -> _Shard:
        if len(self._shards) == 1:
            return self._shards[0]
        name, _, number = channel.rpartition(_LANE)
        return self._shards[int(number) if name else self._hashed(channel)[0]]

    def _hashed(self, channel: str) -> tuple[int, int]:
        """The number of the channel's server, and the rest of the hash."""
        rest, number = divmod(zlib.crc32(channel.encode()), len(self._shards))
        return number, rest

    def _report_gap(self) -> None:
        for listener in self._gap_listeners:
            listener()


class _Shard:
    """One Redis server: its two connections, its subscriptions, and the task that reconnects."""

    def __init__(self, address: Address, worker: str, on_gap: GapListener) -> None:
        self.ready = asyncio.Event()
        # Why the last attempt to connect failed.
        self.last_error = "no answer"
        # Set once the bus has started: from then on, who connects has missed something.
        self.reports_gaps = False
        self._address = address
        self._tick_channel = channels.tick(worker)
        self._on_gap = on_gap
        self._handlers: dict[bytes, Handler] = {}
        # Redis confirms channels in the order of the requests, so a count is enough to match them.
        self._requested = 0
        self._confirmed = 0
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._publisher: RedisConnection | None = None
        self._subscriber: RedisConnection | None = None
        self._lost = asyncio.Event()
        self._silent_s = 0.0
        self._supervisor: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts the task that connects and reconnects until `stop`."""
        self._supervisor = asyncio.create_task(self._supervise(), name=f"redis {self._address.host}")

    async def stop(self) -> None:
        """Writes pending messages and disconnects."""
        if self._publisher is not None:
            self._publisher.flush()
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)

    def publish(self, channel: str, payload: bytes, receipt: Receipt | None) -> None:
        """See Bus.publish."""
        connection = self._publisher
        if connection is None or connection.is_full:
            BUS_DROPPED.inc()
            if receipt is not None:
                asyncio.get_running_loop().call_soon(receipt, None)
            return
        connection.ask(("PUBLISH", channel, payload), _ignore if receipt is None else _reply_to(receipt))

    def subscribe(self, handlers: Mapping[str, Handler]) -> asyncio.Future[None]:
        """Subscribes, also after each reconnect. The future is done when all channels are confirmed."""
        for name, handler in handlers.items():
            self._handlers[name.encode()] = handler
        if self._subscriber is not None:
            self._subscriber.send("SUBSCRIBE", *handlers)
            self._requested += len(handlers)
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((self._requested, confirmed))
        return confirmed

    def unsubscribe(self, name: str) -> None:
        """See Bus.unsubscribe."""
        if self._handlers.pop(name.encode(), None) is not None and self._subscriber is not None:
            self._subscriber.send("UNSUBSCRIBE", name)

    async def _supervise(self) -> None:
        delay = BACKOFF_MIN_S
        try:
            while True:
                try:
                    await self._connect()
                except RedisConnectionLost as error:
                    self.last_error = str(error)
                    log.warning("redis is unavailable: %s", error)
                    # A random delay, so that many workers don't reconnect at the same moment.
                    await asyncio.sleep(random.uniform(BACKOFF_MIN_S, delay))
                    delay = min(delay * 2, BACKOFF_MAX_S)
                    continue
                delay = BACKOFF_MIN_S
                self.ready.set()
                if self.reports_gaps:
                    BUS_GAPS.inc()
                    log.warning("redis is available again; messages published in between may be lost")
                    self._on_gap()
                await self._exchange_ticks()
                self._disconnect()
        finally:
            self._disconnect()

    async def _connect(self) -> None:
        """Opens both connections and subscribes to all channels. Raises RedisConnectionLost."""
        self._lost = lost = asyncio.Event()
        try:
            self._publisher = await connect(self._address, lambda push: None, lost.set)
            self._subscriber = await connect(self._address, self._on_push, lost.set)
            self._handlers[self._tick_channel.encode()] = self._on_tick
            self._subscriber.send("SUBSCRIBE", *self._handlers)
            self._confirmed, self._requested = 0, len(self._handlers)
            # All channels are requested in one command here, so every waiter now waits for all of them.
            all_confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waiting = [*(confirmed for _, confirmed in self._waiters), all_confirmed]
            self._waiters = deque((self._requested, confirmed) for confirmed in waiting)
            async with asyncio.timeout(CONFIRM_TIMEOUT_S):
                await all_confirmed
        except (RedisConnectionLost, TimeoutError) as error:
            self._disconnect()
            raise RedisConnectionLost(str(error) or "subscriptions are not confirmed") from error

    async def _exchange_ticks(self) -> None:
        """Sends ticks; returns when a connection is lost or no tick came back for TICK_TIMEOUT_S."""
        loop = asyncio.get_running_loop()
        self._silent_s = 0.0
        while self._silent_s < TICK_TIMEOUT_S:
            begun = loop.time()
            self.publish(self._tick_channel, repr(begun).encode(), None)
            try:
                async with asyncio.timeout(TICK_INTERVAL_S):
                    await self._lost.wait()
                log.warning("redis connection lost")
                return
            except TimeoutError:
                # If this process itself was stalled, the tick may have arrived but not been read yet, so a
                # long round counts as 1.5 intervals only.
                self._silent_s += min(loop.time() - begun, 1.5 * TICK_INTERVAL_S)
        log.warning("redis does not answer, reconnecting")

    def _disconnect(self) -> None:
        self.ready.clear()
        for connection in (self._publisher, self._subscriber):
            if connection is not None:
                connection.close()
        self._publisher = self._subscriber = None

    def _on_tick(self, payload: bytes) -> None:
        self._silent_s = 0.0
        BUS_ROUND_TRIP.observe(asyncio.get_running_loop().time() - float(payload))

    def _on_push(self, push: list[Any]) -> None:
        kind, name, payload = push
        if kind == b"message":
            handler = self._handlers.get(name)
            if handler is not None:
                _run_handler(handler, name, payload)
        elif kind == b"subscribe":
            self._confirmed += 1
            while self._waiters and self._waiters[0][0] <= self._confirmed:
                confirmed = self._waiters.popleft()[1]
                if not confirmed.done():
                    confirmed.set_result(None)


def _run_handler(handler: Handler, name: bytes, payload: bytes) -> None:
    """Runs a handler and logs what it raises: one bad message must not end the subscription."""
    try:
        handler(payload)
    except Exception:
        log.exception("handler of channel %s failed", name.decode(errors="replace"))


def _ignore(reply: Any) -> None:
    """Discards the number of subscribers when the publisher gave no receipt."""


def _reply_to(receipt: Receipt) -> Any:
    return lambda reply: receipt(reply if isinstance(reply, int) else None)
