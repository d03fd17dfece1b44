"""Makes the parts of push, in the order in which they start."""

from __future__ import annotations

from typing import Final, Protocol

from chat_api.feed.push.decider import Decider
from chat_api.feed.push.ledger import Ledger
from chat_api.feed.push.outbox import Outbox
from chat_api.feed.push.planner import Planner
from chat_api.feed.push.pusher import Pusher
from chat_api.feed.push.queue import PgPushQueue
from chat_api.feed.push.settings import PushSettings
from chat_api.feed.push.stdout import Stdout
from chat_api.feed.push.viewers import Viewers
from chat_api.feed.push.webpush import WebPush
from chat_api.outgoing.client import OutgoingClient
from chat_api.outgoing.settings import OutgoingSettings
from chat_api.outgoing.slots import Limits
from chat_api.push.model import Channel
from chat_api.storage.push_keys import PgPushKeys
from messenger_shared.bus.interface import Bus
from messenger_shared.contract.schemas.push import OTHER_KINDS, WEBPUSH
from messenger_shared.postgres.database import Database

# Most browsers share a few push services, each of which is one host.
LIMITS: Final = Limits(running=64, per_host=32, wait_s=0.5)


class Component(Protocol):
    """Something that is started and stopped."""

    async def start(self) -> None:
        """Starts it."""

    async def stop(self) -> None:
        """Stops it."""


def push_parts(
    settings: PushSettings, outgoing: OutgoingSettings, database: Database, bus: Bus
) -> tuple[Planner, list[Component]]:
    """The consumer of the feed, and what sends."""
    client = OutgoingClient(outgoing, "push", LIMITS)
    channels: dict[str, Channel] = {WEBPUSH: WebPush(client, PgPushKeys(database), settings.contact)}
    if settings.stdout:
        channels |= dict.fromkeys(OTHER_KINDS, Stdout())
    queue, viewers = PgPushQueue(database), Viewers(bus)
    ledger = Ledger(queue)
    outbox = Outbox(channels, ledger.settle)
    pusher = Pusher(queue, Decider(viewers), outbox, ledger, settings.texts)
    return Planner(queue), [client, viewers, ledger, outbox, pusher]
