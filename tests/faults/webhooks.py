"""A receiver that fails at random, while the feed is killed again and again: hosts still hear everything.

`make faults CAMPAIGN=webhooks` runs it for ten minutes, and SCALE makes it as many times as long.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import defaultdict
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from aiohttp.test_utils import unused_port

from messenger_sdk import MessengerError, Server
from messenger_shared.contract.schemas.webhooks import EVENT_TYPES
from tests.databases import logged_in
from tests.e2e.hosts import new_key
from tests.faults.seeds import chosen_seed
from tests.integration.delivering import LATE, RESET, Receiver, receiving
from tests.stack import RunningStack, running_stack
from tests.waiting import eventually

NAME: Final = "campaign"
WORKERS: Final = "gateway=1,chat-api=1,presence=1,feed=2"
KILL_INTERVAL_S: Final = 6.0
CRASH_INTERVAL_S: Final = 20.0
# For how long the receiver is away.
AWAY_S: Final = (0.5, 5.0)
TALKERS: Final = 20
HEALED_S: Final = 120.0
_OUTCOMES: Final = (204,) * 12 + (500, 503, 429, RESET, LATE)
_ALL: Final = """
SELECT id::text, pos, content, deleted_at IS NOT NULL FROM messenger.messages
 WHERE conversation_id = ANY (%s::uuid[])
"""

# Message id -> (pos, content, whether it is deleted).
View = dict[str, tuple[int, str | None, bool]]


class Heard:
    """What a host heard of the campaign's conversations, each event as it came."""

    def __init__(self) -> None:
        self.view: View = {}
        self.repeats = 0
        self._seen: set[str] = set()
        self._order: dict[str, list[int]] = defaultdict(list)

    def hear(self, id_: str, body: Any) -> None:
        """Notes an event that the host has taken."""
        data = body["data"]
        if id_ in self._seen:
            self.repeats += 1
            return
        self._seen.add(id_)
        self._order[data["conversation_id"]].append(data["pos"])
        if body["type"].startswith("message."):
            message = data["data"]
            self.view[message["id"]] = (
                data["pos"],
                message["content"],
                message.get("deleted_at") is not None,
            )

    def assert_ordered(self) -> None:
        """Fails if something came for the first time after something later of its conversation."""
        assert all(one < two for order in self._order.values() for one, two in pairwise(order))


class Campaign:
    """Messages of a host in some conversations, a webhook, and a reader of events."""

    def __init__(self, stack: RunningStack, server: Server, rooms: list[str], chance: random.Random) -> None:
        self._stack = stack
        self._server = server
        self._rooms = rooms
        self._chance = chance
        self.is_over = asyncio.Event()
        self.pulled = Heard()
        self.kills = 0
        self.crashes = 0

    async def talk(self, per_s: float) -> None:
        """Sends and deletes in all conversations, `per_s` times a second, until the campaign is over."""
        pace = TALKERS / per_s
        async with asyncio.TaskGroup() as talkers:
            for number in range(TALKERS):
                talkers.create_task(self._talk(pace, number * pace / TALKERS))

    async def _talk(self, pace: float, delay: float) -> None:
        due = time.monotonic() + delay
        while not await self._is_over_within(due - time.monotonic()):
            message = await self._server.send_message(self._chance.choice(self._rooms), 1, "글")
            if self._chance.random() < 0.1:
                await self._server.delete_message(message["id"])
            # What comes late is made up for.
            due += pace

    async def kill_the_feed(self) -> None:
        """Kills one of the feed's workers every KILL_INTERVAL_S."""
        while not await self._is_over_within(KILL_INTERVAL_S * self._chance.uniform(0.5, 1.5)):
            for pid in self._chance.sample(self._stack.pids("feed", "worker"), 1):
                os.kill(pid, signal.SIGKILL)
                self.kills += 1

    async def crash(self, receiver: Receiver, interval_s: float) -> None:
        """Crashes the receiver every `interval_s`; it comes back after a while."""
        while not await self._is_over_within(interval_s * self._chance.uniform(0.5, 1.5)):
            await receiver.crash()
            self.crashes += 1
            await self._is_over_within(self._chance.uniform(*AWAY_S))
            await receiver.start()

    async def _is_over_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self.is_over.wait()
        return self.is_over.is_set()

    async def pull(self) -> None:
        """Reads events like a host that crashes now and then, and goes on from the cursor that it kept."""
        kept: str | None = None
        while True:
            with suppress(MessengerError):
                async for event, cursor in self._server.events(kept):
                    self.pulled.hear(event["id"], event)
                    if self._chance.random() < 0.01:
                        break
                    kept = cursor

    async def truth(self) -> View:
        """What PostgreSQL has."""
        async with logged_in(self._stack.database_url, 1) as database:
            await database.rows("SET row_security = off")
            rows = await database.rows(_ALL, (self._rooms,))
        return {id_: (pos, content, is_deleted) for id_, pos, content, is_deleted in rows}


async def hear_everything(folder: Path, seconds: float, conversations: int, per_s: float) -> str:
    """Runs the campaign, and fails if something was lost or came in the wrong order. Returns a summary."""
    chance = random.Random(chosen_seed())
    async with (
        running_stack(folder, unused_port(), WORKERS, {"MESSENGER_DEMO": "0"}) as stack,
        receiving() as receiver,
        Server(stack.url, new_key(folder)) as server,
    ):
        await server.put_users([{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bo"}])
        made = [await server.ensure_conversation(str(n), "group", [1, 2], "c") for n in range(conversations)]
        campaign = Campaign(stack, server, [room["id"] for room in made], chance)
        webhook = await server.put_webhook(NAME, receiver.url, EVENT_TYPES)
        receiver.secrets = [webhook["secret"]]
        receiver.plan = lambda body: chance.choice(_OUTCOMES)
        crashing = campaign.crash(receiver, min(CRASH_INTERVAL_S, seconds / 4))
        faults = (campaign.kill_the_feed(), crashing)
        tasks = [asyncio.create_task(each) for each in (campaign.talk(per_s), *faults)]
        reading = asyncio.create_task(campaign.pull())
        await asyncio.sleep(seconds)
        campaign.is_over.set()
        await asyncio.gather(*tasks)
        receiver.plan = lambda body: 204
        await eventually(lambda: _is_healed(campaign, server, receiver), HEALED_S)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        pushed = _heard(receiver)
        for heard in (pushed, campaign.pulled):
            heard.assert_ordered()
        injected = f"{campaign.kills} kills of the feed, {campaign.crashes} crashes of the receiver"
        repeats = f"repeats: {pushed.repeats} pushed, {campaign.pulled.repeats} pulled"
        return f"{len(pushed.view)} messages in {conversations} conversations; {injected}; {repeats}"


async def _is_healed(campaign: Campaign, server: Server, receiver: Receiver) -> bool:
    await server.redeliver_webhook(NAME)
    await asyncio.sleep(1)
    truth = await campaign.truth()
    return truth == _heard(receiver).view == campaign.pulled.view


def _heard(receiver: Receiver) -> Heard:
    heard = Heard()
    for delivery in receiver.deliveries:
        if delivery.answered == 204:
            heard.hear(delivery.id, delivery.body)
    return heard
