"""The web client as users use it: `Chat` is one user's client, `WebClients` opens the chats of a test."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.client import User
from tests.conftest import SharedStack
from tests.waiting import eventually, until

TIMEOUT_MS = 30_000
ARTEFACTS = Path(__file__).parents[1] / "artefacts"
# No other test uses the users of this one.
_users = itertools.count(10_000)

expect.set_options(timeout=TIMEOUT_MS)


def new_user() -> int:
    """Returns a user id that no other test has."""
    return next(_users)


@dataclass(frozen=True)
class Chat:
    """The client of one user, and what the user does in it."""

    page: Page
    user: int

    @property
    def text_box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    @property
    def messages(self) -> Locator:
        return self.page.get_by_test_id("message")

    def message(self, text: str) -> Locator:
        return self.messages.filter(has_text=text)

    async def open(self, title: str) -> None:
        await self.page.get_by_role("button", name=title).first.click()
        await expect(self.text_box).to_be_visible()

    async def send(self, text: str) -> None:
        await self.text_box.fill(text)
        await self.text_box.press("Enter")

    async def expect_messages(self, *texts: str) -> None:
        """Waits for exactly these messages, in this order."""
        await expect(self.page.get_by_test_id("message-text")).to_have_text(list(texts))

    async def expect_status(self, text: str, status: str) -> None:
        await expect(self.message(text)).to_have_attribute("data-status", status)

    async def open_dialog(self, button: str) -> None:
        """Opens a dialog and waits until it has taken the focus, which it also takes from its own fields."""
        await self.page.get_by_role("button", name=button).first.click()
        await wait_for_expression(self.page, "document.activeElement.closest('[role=dialog]') !== null")

    async def expect_stored(self, text: str) -> None:
        """Waits until the sender knows that it is stored; others may have it, and read it, before."""
        await expect(self.message(text)).to_have_attribute("data-status", re.compile("sent|delivered|read"))

    async def choose_action(self, text: str, act: str) -> None:
        """Chooses an entry of a message's menu."""
        await self.message(text).click(button="right")
        await self.page.get_by_role("menuitem", name=act).click()

    async def expect_connected(self) -> None:
        await expect(self.page.locator(".banner")).to_have_attribute("data-phase", "online")

    async def expect_banner(self, text: str) -> None:
        await expect(self.page.locator(".banner")).to_contain_text(text)

    async def save_screenshot(self, name: str) -> None:
        """Saves a screenshot among the artefacts, for people to look at."""
        ARTEFACTS.mkdir(exist_ok=True)
        await self.page.screenshot(path=ARTEFACTS / f"client-{name}.png")


class WebClients:
    """Opens chats, each user's in a separate browser context, and collects the errors of all."""

    def __init__(self, browser: Browser, stack: SharedStack) -> None:
        self.browser = browser
        self.stack = stack
        self.url = stack.url
        self.errors: list[str] = []
        self._http: aiohttp.ClientSession | None = None
        self._contexts: list[BrowserContext] = []

    async def context(self, **options: Any) -> BrowserContext:
        """Opens a browser context, without service workers unless `service_workers` is `allow`.

        Most tests see only a first visit, in which a worker loads the shell for the next one: time that only
        the tests of the worker need.
        """
        options = {"locale": "en-US", "service_workers": "block", **options}
        context = await self.browser.new_context(**options)
        context.set_default_timeout(TIMEOUT_MS)
        self._contexts.append(context)
        return context

    async def page(self, context: BrowserContext) -> Page:
        page = await context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self._on_console(line.text))
        return page

    async def chat(self, user: int, context: BrowserContext | None = None, **options: Any) -> Chat:
        """Opens the connected client of `user`."""
        page = await self.page(context or await self.context(**options))
        await page.goto(f"{self.url}/?user_id={user}")
        chat = Chat(page, user)
        await chat.expect_connected()
        return chat

    async def listening_chat(self, user: int, context: BrowserContext) -> Chat:
        """Opens the first tab of a user with conversations, and waits until it has caught up.

        Messages that come before that are part of what was missed, so nobody is notified of them.
        """
        page = await self.page(context)
        frames: list[str] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda text: frames.append(str(text))))
        await page.goto(f"{self.url}/?user_id={user}")
        await until(lambda: any('"resumed"' in frame for frame in frames))
        chat = Chat(page, user)
        await chat.expect_connected()
        return chat

    async def api_user(self, user: int) -> User:
        """Returns the same user as a User, for users who need no browser."""
        if self._http is None:
            self._http = aiohttp.ClientSession()
        return User(self._http, self.url, user, self.stack.token(user))

    async def group(self, title: str, *users: int) -> str:
        """Creates a group of these users; the first one is the creator."""
        api_user = await self.api_user(users[0])
        return await api_user.create_group(*users[1:], title=title)

    async def post(self, user: int, conversation: str, *texts: str) -> list[dict[str, Any]]:
        """Sends messages over REST, one after the other, as fast as the user may."""
        api_user = await self.api_user(user)
        path, sent = f"/conversations/{conversation}/messages", []
        for text in texts:
            reply = await api_user.post(path, {"content": text})
            if reply.status == 429:
                await asyncio.sleep(float(reply.headers["Retry-After"]))
                reply = await api_user.post(path, {"content": text})
            assert reply.status == 201, reply
            sent.append(reply.body)
        return sent

    async def mark_read(self, user: int, conversation: str, seq: int) -> None:
        """Marks everything up to `seq` as read, so that the conversation opens at its end."""
        reader = await self.api_user(user)
        reply = await reader.call("PUT", f"/conversations/{conversation}/read", body={"seq": seq})
        assert reply.status == 200, reply

    async def stored_texts(self, user: int, conversation: str) -> list[str]:
        """Returns the texts of a conversation from the gateway, oldest first."""
        api_user = await self.api_user(user)
        reply = await api_user.get(f"/conversations/{conversation}/messages", limit=100)
        return [message["content"] for message in reversed(reply.body["items"])]

    async def close(self) -> None:
        await asyncio.gather(*(context.close() for context in self._contexts))
        if self._http is not None:
            await self._http.close()

    def _on_console(self, line: str) -> None:
        if re.search("Content Security Policy|TrustedHTML|TrustedScript", line):
            self.errors.append(line)


async def wait_for_expression(page: Page, expression: str) -> None:
    """Returns when `expression` holds on the page. The page's policy forbids Playwright's own polling."""
    await eventually(lambda: page.evaluate(expression), TIMEOUT_MS / 1000)


def parse_frame(text: str | bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found
