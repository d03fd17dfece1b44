"""Owns the web client as people use it: a chat in front of each of them, and an office full of chats."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.client import Person
from tests.conftest import SharedStack
from tests.waiting import eventually

PATIENCE_MS = 15_000
ARTEFACTS = Path(__file__).parents[1] / "artefacts"
# A user of a test is nobody's of another test.
_users = itertools.count(10_000)

expect.set_options(timeout=PATIENCE_MS)


def new_user() -> int:
    """A user id that no other test has."""
    return next(_users)


@dataclass(frozen=True)
class Chat:
    """The client in front of one user, and what a user does there."""

    page: Page
    user: int

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    @property
    def messages(self) -> Locator:
        return self.page.get_by_test_id("message")

    def message(self, text: str) -> Locator:
        return self.messages.filter(has_text=text)

    async def open(self, title: str) -> None:
        await self.page.get_by_role("button", name=title).first.click()
        await expect(self.box).to_be_visible()

    async def say(self, text: str) -> None:
        await self.box.fill(text)
        await self.box.press("Enter")

    async def sees(self, *texts: str) -> None:
        """Exactly these messages, in this order."""
        await expect(self.page.get_by_test_id("said")).to_have_text(list(texts))

    async def has_status(self, text: str, status: str) -> None:
        await expect(self.message(text)).to_have_attribute("data-status", status)

    async def acts(self, text: str, act: str) -> None:
        """Chooses from the menu of a message."""
        await self.message(text).click(button="right")
        await self.page.get_by_role("menuitem", name=act).click()

    async def is_connected(self) -> None:
        await expect(self.page.locator(".banner")).to_have_attribute("data-phase", "online")

    async def is_told(self, text: str) -> None:
        await expect(self.page.locator(".banner")).to_contain_text(text)

    async def picture(self, name: str) -> None:
        """Kept among the artefacts, for people to look at."""
        ARTEFACTS.mkdir(exist_ok=True)
        await self.page.screenshot(path=ARTEFACTS / f"client-{name}.png")


class Office:
    """Opens chats, each person's in a browser context of its own, and keeps what went wrong in any."""

    def __init__(self, browser: Browser, stack: SharedStack) -> None:
        self.browser = browser
        self.stack = stack
        self.url = stack.url
        self.faults: list[str] = []
        self._http: aiohttp.ClientSession | None = None
        self._contexts: list[BrowserContext] = []

    async def context(self, **options: Any) -> BrowserContext:
        context = await self.browser.new_context(**{"locale": "en-US", **options})
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        return context

    async def page(self, context: BrowserContext) -> Page:
        page = await context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda line: self._heard(line.text))
        return page

    async def chat(self, user: int, context: BrowserContext | None = None, **options: Any) -> Chat:
        """The client as `user` sees it, connected."""
        page = await self.page(context or await self.context(**options))
        await page.goto(f"{self.url}/?user_id={user}")
        chat = Chat(page, user)
        await chat.is_connected()
        return chat

    async def person(self, user: int) -> Person:
        """The same user at the door of programs, for what only has to be there."""
        if self._http is None:
            self._http = aiohttp.ClientSession()
        return Person(self._http, self.url, user, self.stack.token(user))

    async def group(self, title: str, *users: int) -> str:
        """A group of these users, made by the first."""
        person = await self.person(users[0])
        return await person.create_group(*users[1:], title=title)

    async def post(self, user: int, conversation: str, *texts: str) -> list[dict[str, Any]]:
        """Messages by REST, one after the other."""
        person = await self.person(user)
        sent = []
        for text in texts:
            reply = await person.post(f"/conversations/{conversation}/messages", {"content": text})
            assert reply.status == 201, reply
            sent.append(reply.body)
        return sent

    async def stored(self, user: int, conversation: str) -> list[str]:
        """The texts of a conversation as the gateway has them, the oldest first."""
        person = await self.person(user)
        reply = await person.get(f"/conversations/{conversation}/messages", limit=100)
        return [message["content"] for message in reversed(reply.body["items"])]

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()
        if self._http is not None:
            await self._http.close()

    def _heard(self, line: str) -> None:
        if re.search("Content Security Policy|TrustedHTML|TrustedScript", line):
            self.faults.append(line)


async def on_page(page: Page, expression: str) -> None:
    """Returns when `expression` holds on the page, whose policy forbids it to ask itself."""
    await eventually(lambda: page.evaluate(expression), PATIENCE_MS / 1000)


def frame_of(text: str | bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found
