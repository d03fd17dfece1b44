"""Owns the bus over Redis Pub/Sub: channels spread over the given addresses, each one supervised.

Every address has two connections, one that publishes and one that is subscribed, so that a subscriber which
Redis cuts off doesn't take the publishing with it. Pub/Sub drops silently and a frozen Redis says nothing
at all, so each address carries a tick of our own: without its echo for TICK_TIMEOUT_S both connections are
replaced.
"""

from __future__ import annotations

import asyncio
import logging
import random
import zlib
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

from messenger_shared import channels, errors
from messenger_shared.bus import GapListener, Handler, Receipt
from messenger_shared.common_settings import REDIS_URL
from messenger_shared.errors import AppError
from messenger_shared.metrics import BUS_DROPPED, BUS_GAPS, BUS_ROUND_TRIP
from messenger_shared.redis_link import Address, LinkLost, RedisLink, connect
from messenger_shared.settings import SettingsError

log = logging.getLogger(__name__)

TICK_INTERVAL_S: Final = 1.0
TICK_TIMEOUT_S: Final = 3.0
BACKOFF_MIN_S: Final = 0.05
BACKOFF_MAX_S: Final = 2.0
CONFIRM_TIMEOUT_S: Final = 3.0
START_TIMEOUT_S: Final = 10.0


class RedisBus:
    """A Bus over one or several Redis servers."""

    def __init__(self, urls: Sequence[str], worker: str) -> None:
        self.worker = worker
        self._gap_listeners: list[GapListener] = []
        self._shards = [_Shard(Address.parse(url), worker, self._tell_gap) for url in urls]

    @property
    def ready(self) -> bool:
        return all(shard.ready.is_set() for shard in self._shards)

    def publish(self, channel: str, payload: bytes, receipt: Receipt | None = None) -> None:
        self._shard(channel).publish(channel, payload, receipt)

    async def subscribe(self, channels: Iterable[str], handler: Handler) -> None:
        by_shard: dict[_Shard, list[str]] = defaultdict(list)
        for channel in channels:
            by_shard[self._shard(channel)].append(channel)
        # Every shard hears of it before the first wait, so that all keep wanting it if one is away.
        waits = [shard.subscribe(names, handler) for shard, names in by_shard.items()]
        try:
            async with asyncio.timeout(CONFIRM_TIMEOUT_S):
                for confirmed in waits:
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
            troubles = [shard.trouble for shard in self._shards if not shard.ready.is_set()]
            await self.stop()
            raise SettingsError(f"{REDIS_URL.name}: {'; '.join(troubles)}") from None

    async def stop(self) -> None:
        for shard in self._shards:
            await shard.stop()

    def _shard(self, channel: str) -> _Shard:
        if len(self._shards) == 1:
            return self._shards[0]
        return self._shards[zlib.crc32(channel.encode()) % len(self._shards)]

    def _tell_gap(self) -> None:
        for listener in self._gap_listeners:
            listener()


class _Shard:
    """One Redis server: its two connections, the wanted subscriptions, and the task that keeps them alive."""

    def __init__(self, address: Address, worker: str, on_gap: GapListener) -> None:
        self.ready = asyncio.Event()
        # Why it was away last.
        self.trouble = "no answer"
        self._address = address
        self._tick_channel = channels.tick(worker)
        self._on_gap = on_gap
        self._handlers: dict[bytes, Handler] = {}
        # Redis confirms channels in the order in which they were asked for, so counting tells which are.
        self._asked = 0
        self._confirmed = 0
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._publisher: RedisLink | None = None
        self._subscriber: RedisLink | None = None
        self._lost = asyncio.Event()
        self._last_tick = 0.0
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to connect, for ever."""
        self._keeper = asyncio.create_task(self._keep(), name=f"redis {self._address.host}")

    async def stop(self) -> None:
        """Writes what is gathered and disconnects."""
        if self._publisher is not None:
            self._publisher.flush()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    def publish(self, channel: str, payload: bytes, receipt: Receipt | None) -> None:
        """See Bus.publish."""
        link = self._publisher
        if link is None or link.full:
            BUS_DROPPED.inc()
            if receipt is not None:
                asyncio.get_running_loop().call_soon(receipt, None)
            return
        link.ask(("PUBLISH", channel, payload), _ignore if receipt is None else _count_for(receipt))

    def subscribe(self, names: list[str], handler: Handler) -> asyncio.Future[None]:
        """Wants these channels from now on; the future is done when all are confirmed."""
        for name in names:
            self._handlers[name.encode()] = handler
        if self._subscriber is not None:
            self._subscriber.send("SUBSCRIBE", *names)
            self._asked += len(names)
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((self._asked, confirmed))
        return confirmed

    def unsubscribe(self, name: str) -> None:
        """See Bus.unsubscribe."""
        if self._handlers.pop(name.encode(), None) is not None and self._subscriber is not None:
            self._subscriber.send("UNSUBSCRIBE", name)

    async def _keep(self) -> None:
        delay = BACKOFF_MIN_S
        first = True
        try:
            while True:
                try:
                    await self._connect()
                except LinkLost as error:
                    self.trouble = str(error)
                    log.warning("redis is away: %s", error)
                    # Full jitter, so that many workers don't come back in step.
                    await asyncio.sleep(random.uniform(BACKOFF_MIN_S, delay))
                    delay = min(delay * 2, BACKOFF_MAX_S)
                    continue
                delay = BACKOFF_MIN_S
                self.ready.set()
                if not first:
                    BUS_GAPS.inc()
                    log.warning("redis is back; what was published meanwhile may be lost")
                    self._on_gap()
                first = False
                await self._watch()
                self._disconnect()
        finally:
            self._disconnect()

    async def _connect(self) -> None:
        """Both connections, and every wanted subscription confirmed on the new one."""
        self._lost = lost = asyncio.Event()
        try:
            self._publisher = await connect(self._address, lambda push: None, lost.set)
            self._subscriber = await connect(self._address, self._on_push, lost.set)
            self._handlers[self._tick_channel.encode()] = self._on_tick
            self._subscriber.send("SUBSCRIBE", *self._handlers)
            self._confirmed, self._asked = 0, len(self._handlers)
            # Who waits for a channel waits for all now, as this connection asks for all at once.
            whole: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waiting = [*(confirmed for _, confirmed in self._waiters), whole]
            self._waiters = deque((self._asked, confirmed) for confirmed in waiting)
            async with asyncio.timeout(CONFIRM_TIMEOUT_S):
                await whole
        except (LinkLost, TimeoutError) as error:
            self._disconnect()
            raise LinkLost(str(error) or "subscriptions are not confirmed") from error

    async def _watch(self) -> None:
        """Returns when a connection was lost or the tick stayed away."""
        loop = asyncio.get_running_loop()
        self._last_tick = loop.time()
        while loop.time() - self._last_tick < TICK_TIMEOUT_S:
            self.publish(self._tick_channel, repr(loop.time()).encode(), None)
            try:
                async with asyncio.timeout(TICK_INTERVAL_S):
                    await self._lost.wait()
                log.warning("redis connection lost")
                return
            except TimeoutError:
                continue
        log.warning("redis says nothing, connecting anew")

    def _disconnect(self) -> None:
        self.ready.clear()
        for link in (self._publisher, self._subscriber):
            if link is not None:
                link.close()
        self._publisher = self._subscriber = None

    def _on_tick(self, payload: bytes) -> None:
        self._last_tick = asyncio.get_running_loop().time()
        BUS_ROUND_TRIP.observe(self._last_tick - float(payload))

    def _on_push(self, push: list[Any]) -> None:
        kind, name, payload = push
        if kind == b"message":
            handler = self._handlers.get(name)
            if handler is not None:
                _handle(handler, name, payload)
        elif kind == b"subscribe":
            self._confirmed += 1
            while self._waiters and self._waiters[0][0] <= self._confirmed:
                confirmed = self._waiters.popleft()[1]
                if not confirmed.done():
                    confirmed.set_result(None)


def _handle(handler: Handler, name: bytes, payload: bytes) -> None:
    """One bad message must not cost the subscription."""
    try:
        handler(payload)
    except Exception:
        log.exception("handler of %s failed", name.decode(errors="replace"))


def _ignore(reply: Any) -> None:
    """Nobody asked how many were reached."""


def _count_for(receipt: Receipt) -> Any:
    return lambda reply: receipt(reply if isinstance(reply, int) else None)
