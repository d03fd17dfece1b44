"""Has this process deliver to webhooks: those that it leases, each by a dispatcher of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from typing import Final

from chat_api.feed.webhooks import metrics
from chat_api.feed.webhooks.dispatcher import Dispatcher
from chat_api.feed.webhooks.model import Figures, Leased
from chat_api.feed.webhooks.peers import Peers
from chat_api.feed.webhooks.presence import FAILED, FULL
from chat_api.feed.webhooks.store import LEASE_S, PgDeliveries
from chat_api.webhooks.schedule import Verdict
from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract import presence_states
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.schemas.webhooks import PRESENCE_TYPES

log = logging.getLogger(__name__)

ROUND_S: Final = 1.0
MEASURE_ROUNDS: Final = 5

MakeDispatcher = Callable[[Leased], Dispatcher]


class Supervisor:
    """Renews leases every second, and takes one that is free until this process has its share."""

    def __init__(self, store: PgDeliveries, bus: Bus, make: MakeDispatcher) -> None:
        self._store = store
        self._bus = bus
        self._make = make
        self._peers = Peers(bus)
        # Whether a webhook of this process asks for transitions, so that they are listened to.
        self._hears_presence = False
        self._dispatchers: dict[str, Dispatcher] = {}
        self._rounds = 0
        self._task: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    async def start(self) -> None:
        """Starts to lease webhooks and to deliver. If Redis is away, the bus subscribes when it is back."""
        await self._peers.start()
        with contextlib.suppress(AppError):
            await self._bus.subscribe([channels.EVENTS], self._on_events)
        self._task = asyncio.create_task(self._run(), name="webhooks")

    async def stop(self) -> None:
        """Ends all deliveries and gives the webhooks back."""
        self._bus.unsubscribe([channels.EVENTS, channels.PRESENCE_ALL])
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*(self._end(id_) for id_ in list(self._dispatchers)))
        await self._peers.stop()

    def _on_events(self, payload: bytes) -> None:
        for dispatcher in self._dispatchers.values():
            dispatcher.wake()

    def _on_presence(self, payload: bytes) -> None:
        changes = presence_states.unpack(payload)
        for dispatcher in self._dispatchers.values():
            dispatcher.presence.tell(changes)

    async def _run(self) -> None:
        while True:
            try:
                await self._round()
            except AppError as error:
                log.warning("webhooks wait: %s", error)
            except Exception:
                log.exception("leasing webhooks failed")
            await asyncio.sleep(ROUND_S * random.uniform(0.8, 1.2))

    async def _round(self) -> None:
        asked_at = self._loop.time()
        leases = await self._store.lease(LEASE_S, self._peers.count())
        self._peers.tell(is_here=True)
        leased = {row.webhook.id: row for row in leases}
        # Above its share, it leaves one to the others, who take one each round.
        extra = leases[-1].webhook.id if leases and len(leases) > leases[0].share else None
        for id_, dispatcher in list(self._dispatchers.items()):
            if dispatcher.receiver.is_over or id_ not in leased or id_ == extra:
                # A receiver that wanted no more may be asked again meanwhile. The next round leases it anew.
                await self._end(id_)
                leased.pop(id_, None)
        for id_, row in leased.items():
            if id_ not in self._dispatchers:
                self._dispatchers[id_] = self._make(row)
                _announce(row.webhook.name)
                await self._dispatchers[id_].start()
            receiver = self._dispatchers[id_].receiver
            receiver.webhook, receiver.leased_until = row.webhook, asked_at + LEASE_S
        await self._listen_to_presence()
        self._rounds += 1
        for id_, dispatcher in self._dispatchers.items():
            if (number := dispatcher.number) > leased[id_].number:
                await self._store.progress(id_, number)
            await dispatcher.receiver.record()
            if self._rounds % MEASURE_ROUNDS == 1:
                _show(dispatcher.receiver.webhook.name, await self._store.figures(id_))

    async def _listen_to_presence(self) -> None:
        """Listens to transitions while a webhook of this process asks for them."""
        asked = any(
            each.receiver.webhook.types.intersection(PRESENCE_TYPES) for each in self._dispatchers.values()
        )
        if asked and not self._hears_presence:
            with contextlib.suppress(AppError):
                await self._bus.subscribe([channels.PRESENCE_ALL], self._on_presence)
        elif self._hears_presence and not asked:
            self._bus.unsubscribe([channels.PRESENCE_ALL])
        self._hears_presence = asked

    async def _end(self, id_: str) -> None:
        dispatcher = self._dispatchers.pop(id_)
        await dispatcher.stop()
        _show(dispatcher.receiver.webhook.name, Figures(0, 0, 0.0))
        with contextlib.suppress(AppError):
            await self._store.release(id_, dispatcher.number)


def _announce(name: str) -> None:
    """Shows the counters of a webhook before anything is counted."""
    metrics.ATTEMPTS.labels(name, Verdict.DELIVERED.value)
    for metric in (metrics.ATTEMPT_TIME, metrics.PARKED_TOTAL, metrics.DISABLED, metrics.FORGOTTEN):
        metric.labels(name)
    for reason in (FULL, FAILED):
        metrics.PRESENCE_DROPPED.labels(name, reason)


def _show(name: str, figures: Figures) -> None:
    metrics.WAITING.labels(name).set(figures.waiting)
    metrics.PARKED.labels(name).set(figures.parked)
    metrics.BACKLOG_AGE.labels(name).set(figures.oldest_s)
