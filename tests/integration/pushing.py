"""Conversations whose messages are pushed to browsers, step by step, with real queue and requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from chat_api.feed.cursors import PgCursors
from chat_api.feed.held_lease import HeldLease
from chat_api.feed.push.decider import Decider
from chat_api.feed.push.ledger import LEASE_S, Ledger
from chat_api.feed.push.outbox import Outbox
from chat_api.feed.push.planner import Planner
from chat_api.feed.push.pusher import Pusher
from chat_api.feed.push.queue import PgPushQueue
from chat_api.feed.push.webpush import WebPush
from chat_api.feed.push.wiring import LIMITS
from chat_api.model import Draft, NewConversation
from chat_api.outgoing.client import OutgoingClient
from chat_api.outgoing.settings import OutgoingSettings
from chat_api.push.payloads import Texts
from chat_api.storage.conversations import PgConversations
from chat_api.storage.messages import PgMessages
from chat_api.storage.push import PgPush
from chat_api.storage.push_keys import PgPushKeys
from chat_api.storage.receipts import PgReceipts
from chat_api.storage.settings import PgSettings
from messenger_shared.contract.identifiers import new_id
from messenger_shared.contract.schemas.push import encoded
from messenger_shared.postgres.database import Database
from tests.integration.following import run
from tests.push.service import Browser, PushService, push_service


class Eyes:
    """Who looks at which conversation."""

    def __init__(self) -> None:
        self.looking: set[tuple[str, int]] = set()
        self.is_complete = True
        self.asked: list[dict[str, Sequence[int]]] = []

    async def ask(self, users: Mapping[str, Sequence[int]]) -> tuple[set[tuple[str, int]], bool]:
        self.asked.append(dict(users))
        return self.looking, self.is_complete


class Pushing:
    """A process that pushes, and what the tests do beside it. Time passes by `pass_time` alone."""

    def __init__(self, database: Database, url: str, service: PushService, texts: Texts = "full") -> None:
        self.service = service
        self.eyes = Eyes()
        self.keys = PgPushKeys(database)
        self.store = PgPush(database)
        self.queue = PgPushQueue(database)
        self.client = OutgoingClient(OutgoingSettings(loopback=True), "push", LIMITS)
        self.ledger = Ledger(self.queue)
        self.outbox = Outbox(
            {"webpush": WebPush(self.client, self.keys, "mailto:ops@example.com")}, self.ledger.settle
        )
        self.pusher = Pusher(self.queue, Decider(self.eyes), self.outbox, self.ledger, texts)
        self._database = database
        self._url = url
        self._messages = PgMessages(database)
        self._receipts = PgReceipts(database)
        self._settings = PgSettings(database)

    async def group(self, *user_ids: int, kind: str = "group") -> str:
        """A conversation of these users; the first one is its admin."""
        members = {user_id: "admin" if user_id == user_ids[0] else "member" for user_id in user_ids}
        id_ = new_id()
        new = NewConversation(id_, kind, "Tea", user_ids[0], members, None)
        await PgConversations(self._database).create(new)
        return id_

    async def browser(self, user_id: int, **fields: Any) -> Browser:
        """A browser of the user's, which has subscribed."""
        browser = self.service.browser()
        await self.subscribe(user_id, browser, **fields)
        return browser

    async def subscribe(self, user_id: int, browser: Browser, key: str | None = None) -> Any:
        """Stores the browser's subscription as the user's."""
        await self.keys.current()
        keys = encoded(browser.point), encoded(browser.auth)
        return await self.store.subscribe(user_id, "webpush", browser.endpoint, keys, key)

    async def send(self, conversation_id: str, sender_id: int, content: str, **fields: Any) -> str:
        """Sends a message, and returns its id."""
        draft = Draft(
            new_id(), conversation_id, sender_id, None, "text", content, None, None, None, None, **fields
        )
        [verdict] = await self._messages.store([draft])
        assert verdict.verdict == "stored", verdict
        return draft.id

    async def delete(self, message_id: str, user_id: int) -> None:
        """Deletes a message of the user's."""
        await self._messages.delete(message_id, user_id)

    async def read(self, conversation_id: str, user_id: int, seq: int) -> None:
        """Reads up to a message."""
        await self._receipts.read(conversation_id, user_id, seq)

    async def set(self, conversation_id: str, user_id: int, **settings: Any) -> None:
        """Changes the user's settings of the conversation."""
        await self._settings.update(conversation_id, user_id, settings)

    async def plan(self, *conversation_ids: str) -> None:
        """Lets the consumer follow the conversations once."""
        cursors, token = PgCursors(self._database, Planner.name), new_id()
        claimed = await cursors.claim(conversation_ids, token)
        handled = await Planner(self.queue).handle(claimed.claims, HeldLease(cursors, token))
        assert handled == {claim.conversation_id: claim.last_pos for claim in claimed.claims}

    def pass_time(self, seconds: float = 3.0) -> None:
        """Makes everything in the queue as much older."""
        self.run(
            "UPDATE messenger.push_queue SET due_at = due_at - %s * interval '1 second', "
            "since = since - %s * interval '1 second'",
            *(seconds, seconds),
        )

    async def push_due(self) -> int:
        """Pushes what is due, and returns how many jobs that were."""
        count = 0
        while jobs := await self.queue.take(100, LEASE_S):
            count += len(jobs)
            await self.pusher.push(jobs)
            async with asyncio.timeout(20):
                await self.outbox.is_empty()
            await self.ledger.write()
        return count

    async def settle(self, *conversation_ids: str) -> None:
        """Follows the conversations, lets three seconds pass, and pushes what is due then."""
        await self.plan(*conversation_ids)
        self.pass_time()
        await self.push_due()

    def run(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Runs a statement past all policies."""
        return run(self._url, sql, *parameters)

    @property
    def queued(self) -> list[tuple[Any, ...]]:
        """(kind, seq, user, attempt, whole seconds until it is due) of what is in the queue."""
        return self.run(
            "SELECT kind, seq, user_id, attempt, round(extract(epoch FROM due_at - now()))::int "
            "FROM messenger.push_queue ORDER BY id"
        )


@asynccontextmanager
async def pushing(database: Database, url: str, texts: Texts = "full") -> AsyncIterator[Pushing]:
    """Yields a process that pushes."""
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(push_service())
        made = Pushing(database, url, service, texts)
        for part in (made.client, made.ledger, made.outbox):
            await part.start()
            stack.push_async_callback(part.stop)
        yield made
