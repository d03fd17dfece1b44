"""The service worker of a page, the pushes that it gets, and the notifications that it shows."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any, Final

from playwright.async_api import CDPSession, Page, Worker

from tests.browser.client import Chat
from tests.waiting import eventually, until

READY: Final = (
    "(async () => (await navigator.serviceWorker.getRegistration())?.active?.state === 'activated')()"
)
SHOWN: Final = """(async () => (await (await navigator.serviceWorker.ready).getNotifications())
  .map(({ title, body, tag, data }) => [title, body, tag, data?.seq ?? null]))()"""


class Pushes:
    """Delivers pushes to the worker of one page."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self._page = page
        self._session = session
        self._registration: str | None = None
        session.on("ServiceWorker.workerRegistrationUpdated", self._learn)

    async def start(self) -> None:
        await self._session.send("ServiceWorker.enable")
        await until(lambda: self._registration is not None)

    async def deliver(self, **payload: Any) -> None:
        origin = re.sub(r"(https?://[^/]+).*", r"\1", self._page.url)
        sent = {"origin": origin, "registrationId": self._registration, "data": json.dumps(payload)}
        await self._session.send("ServiceWorker.deliverPushMessage", sent)

    async def message(self, room: str, seq: int, text: str) -> None:
        await self.deliver(
            type="message",
            conversation_id=room,
            message_id=str(uuid.uuid4()),
            seq=seq,
            badge=seq,
            mention=False,
            conversation={"type": "group", "title": "Tea"},
            sender={"id": 7, "name": "Grace"},
            message_type="text",
            text=text,
        )

    def _learn(self, told: dict[str, Any]) -> None:
        for registration in told["registrations"]:
            if not registration["isDeleted"]:
                self._registration = registration["registrationId"]


async def worker_of(chat: Chat) -> Worker:
    """Waits for the page's service worker, which has then kept the shell."""
    await eventually(lambda: chat.page.evaluate(READY), 30)
    return chat.page.context.service_workers[0]


async def pushes_to(chat: Chat) -> Pushes:
    await worker_of(chat)
    pushes = Pushes(chat.page, await chat.page.context.new_cdp_session(chat.page))
    await pushes.start()
    return pushes


async def shows(page: Page, *bodies: str) -> None:
    async def is_shown() -> bool:
        return [body for _, body, _, _ in await page.evaluate(SHOWN)] == list(bodies)

    await eventually(is_shown, 30)
