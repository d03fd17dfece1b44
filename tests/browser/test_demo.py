"""The demo page in Chromium, over the whole stack: two users, one conversation, every frame in sight."""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Route, WebSocketRoute, expect

from tests.browser.client import TIMEOUT_MS

SOCKETS = re.compile(r"/api/v1/messenger/ws")


class Stack(Protocol):
    """What the `stack` fixture provides: the services, run as by `messenger up`."""

    url: str


@dataclass(frozen=True)
class Desk:
    """One user in front of the page, and what the user does there."""

    page: Page
    errors: list[str]

    async def create(self, title: str, others: str) -> str:
        await self.page.get_by_label("Title").fill(title)
        await self.page.get_by_label("Participant ids").fill(others)
        await self.page.get_by_role("button", name="Create").click()
        await expect(self.page.get_by_role("heading", name=title)).to_be_visible()
        await self.is_subscribed()
        return await self.page.get_by_label("Conversation id").input_value()

    async def open(self, title: str) -> None:
        await self.page.get_by_role("button", name=title).click()
        await self.is_subscribed()

    async def is_subscribed(self) -> None:
        await expect(self.page.get_by_test_id("numbers")).to_contain_text(re.compile("(?<!not )subscribed"))

    async def send(self, text: str) -> None:
        await self.page.get_by_label("Message", exact=True).fill(text)
        await self.press("Send")

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def expect_messages(self, *texts: str) -> None:
        """Waits for exactly these messages, in this order."""
        await expect(self.page.get_by_test_id("message").locator(".message-text")).to_have_text(list(texts))

    async def expect_banner(self, text: str) -> None:
        await expect(self.page.get_by_test_id("state")).to_contain_text(text)

    async def logged(self, kind: str, text: str) -> None:
        entries = self.page.locator(f"[data-testid=log-entry][data-kind={kind}]")
        await expect(entries.filter(has_text=text).first).to_be_visible()


@dataclass(frozen=True)
class WebClients:
    """Opens desks, each in a separate browser context, and collects the errors of all."""

    browser: Browser
    url: str
    errors: list[str]
    contexts: list[BrowserContext]

    async def page(self, **options: object) -> Page:
        context = await self.browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(TIMEOUT_MS)
        self.contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self._on_console(line.text))
        return page

    def _on_console(self, line: str) -> None:
        if "Content Security Policy" in line:
            self.errors.append(line)

    async def desk(self, user_id: int, page: Page | None = None) -> Desk:
        page = page or await self.page()
        await page.goto(f"{self.url}/demo?user_id={user_id}")
        desk = Desk(page, self.errors)
        await desk.expect_banner(f"Connected as user {user_id}")
        return desk


@pytest_asyncio.fixture(loop_scope="session")
async def clients(browser: Browser, stack: Stack) -> AsyncIterator[WebClients]:
    opened = WebClients(browser, stack.url, [], [])
    try:
        yield opened
    finally:
        await asyncio.gather(*(context.close() for context in opened.contexts))
    assert opened.errors == [], "a script failed or the content security policy was broken"


@pytest.fixture
def title() -> str:
    return f"Talk {uuid.uuid4().hex[:8]}"


async def test_two_people_chat_both_ways(clients: WebClients, title: str) -> None:
    one, two = await clients.desk(1), await clients.desk(2)
    await one.create(title, "2")
    await one.send("Hello, are you there?")
    await two.open(title)
    await two.expect_messages("Hello, are you there?")
    await two.send("I am, and I see you.")
    await one.expect_messages("Hello, are you there?", "I am, and I see you.")
    await two.expect_messages("Hello, are you there?", "I am, and I see you.")


async def test_who_types_is_seen_by_the_other_and_goes_when_it_stops(clients: WebClients, title: str) -> None:
    one, two = await clients.desk(1), await clients.desk(2)
    await one.create(title, "2")
    await two.open(title)
    await two.press("Typing start")
    await expect(one.page.get_by_test_id("typing")).to_have_text("2 is typing…")
    await two.press("Typing stop")
    await expect(one.page.get_by_test_id("typing")).to_be_empty()


async def test_a_reload_comes_back_to_the_conversation_with_its_history(
    clients: WebClients, title: str
) -> None:
    one = await clients.desk(1)
    await one.create(title, "2")
    await one.send("first")
    await one.send("second")
    await one.expect_messages("first", "second")
    await one.page.reload()
    await one.expect_banner("Connected as user 1")
    await one.expect_messages("first", "second")


async def test_markup_in_a_message_stays_text(clients: WebClients, title: str) -> None:
    one = await clients.desk(1)
    text = "<img src=x onerror=alert(1)> <b>bold</b> javascript:alert(1)"
    await one.create(title, "2")
    await one.send(text)
    await one.expect_messages(text)
    await expect(one.page.get_by_test_id("message").locator("img, b, a")).to_have_count(0)


async def test_the_log_shows_frames_of_both_directions_and_unfolds_them(
    clients: WebClients, title: str
) -> None:
    one = await clients.desk(1)
    conversation_id = await one.create(title, "2")
    await one.send("into the log")
    await one.logged("rest", "POST /conversations")
    await one.logged("out", "message.send")
    await one.logged("in", "message.sent")
    await one.page.get_by_label("Filter").fill("message.new -replay")
    arrived = one.page.get_by_test_id("log-entry").filter(has_text="message.new", visible=True)
    await expect(arrived).to_have_count(1)
    await arrived.locator("summary").click()
    assert json.loads(await arrived.locator("pre").inner_text())["conversation_id"] == conversation_id


async def test_text_turns_nothing_around_it(clients: WebClients, title: str) -> None:
    one = await clients.desk(1)
    conversation_id = await one.create(f"{title} a\u202eb", "2")
    frame = {
        "type": "message.send",
        "conversation_id": conversation_id,
        "content": "x" * 115 + "👨\u200d👩\u200d👧\u202e",
    }
    file_ = {"message_type": "file", "file_url": "https://example.org/x", "file_name": "bill\u202efdp.exe"}
    await one.page.get_by_text("Send any frame").click()
    await one.page.get_by_label("Frame", exact=True).fill(json.dumps(frame | file_))
    await one.press("Send as it stands")
    await expect(one.page.locator(".messages .file")).to_have_text("billfdp.exe: https://example.org/x")
    row = one.page.get_by_role("button", name=title)
    await expect(row.locator(".chat-last bdi")).to_have_text("x" * 115)
    sent = one.page.get_by_test_id("log-entry").filter(has_text="message.new").first
    await expect(sent.locator(".preview")).to_contain_text("{")
    await sent.locator("summary").click()
    shown = await sent.locator("pre").text_content() or ""
    assert "\u202e" not in shown
    assert json.loads(shown)["data"]["file_name"] == "bill\u202efdp.exe"
    style = "each => getComputedStyle(each).unicodeBidi"
    assert await row.locator(".chat-title").evaluate(style) == "isolate"


async def test_the_log_finds_what_reads_the_same(clients: WebClients, title: str) -> None:
    one = await clients.desk(1)
    await one.create(title, "2")
    await one.send("\u1112\u116c\u110b\u1174 INFO")
    await one.logged("in", "message.new")
    await one.page.get_by_label("Filter").fill("회의 info message.new")
    await expect(one.page.get_by_test_id("log-entry").filter(visible=True)).to_have_count(1)


async def test_a_token_is_not_in_the_log(clients: WebClients) -> None:
    one = await clients.desk(1)
    await one.logged("rest", "POST /dev/token")
    entry = one.page.get_by_test_id("log-entry").filter(has_text="POST /dev/token")
    await entry.locator("summary").click()
    token = json.loads(await entry.locator("pre").inner_text())["answer"]["token"]
    assert token.endswith("… (hidden)")


async def test_an_error_frame_is_shown_with_its_code(clients: WebClients) -> None:
    one = await clients.desk(1)
    await one.page.get_by_label("Conversation id").fill("seven")
    await one.press("Subscribe")
    notice = one.page.get_by_test_id("notice")
    await expect(notice).to_contain_text("Invalid conversation_id format")
    await expect(notice).to_contain_text("invalid_conversation_id · to subscribe")


async def test_a_socket_told_to_come_back_does_and_misses_nothing(clients: WebClients, title: str) -> None:
    page = await clients.page()
    sockets = await watch_sockets(page)
    one, two = await clients.desk(1, page), await clients.desk(2)
    await one.create(title, "2")
    await two.open(title)
    await one.send("before")
    await two.expect_messages("before")
    await sockets[-1].close(code=4001, reason='{"code":"draining","retry_after_ms":1000}')
    await one.expect_banner("Coming back")
    await two.send("meanwhile")
    await one.expect_banner("Connected as user 1")
    await one.expect_messages("before", "meanwhile")
    await one.logged("out", "after_pos")


@pytest.mark.parametrize("code", [1000, 1008, 4504])
async def test_a_socket_told_to_stay_away_stays_away(clients: WebClients, code: int) -> None:
    page = await clients.page()
    sockets = await watch_sockets(page)
    one = await clients.desk(1, page)
    await sockets[-1].close(code=code, reason='{"code":"told"}')
    await one.expect_banner(f"Closed: {code}")
    await one.expect_banner("Not coming back by itself")
    assert len(sockets) == 1


async def test_a_server_that_mints_no_tokens_is_given_one(clients: WebClients) -> None:
    page = await clients.page()
    await page.route("**/dev/token", answer_404)
    await page.goto(f"{clients.url}/demo?user_id=1")
    await expect(page.get_by_label("Token")).to_be_visible()
    await page.get_by_label("Token").fill("not.a.token")
    await page.get_by_role("button", name="Connect", exact=True).click()
    await expect(page.get_by_test_id("state")).to_contain_text("1008, not authorised")


async def test_a_narrow_screen_shows_one_pane_and_does_not_scroll_sideways(
    clients: WebClients, title: str
) -> None:
    one = await clients.desk(1, await clients.page(viewport={"width": 360, "height": 720}))
    await one.page.get_by_role("button", name="Chats").click()
    await one.create(title, "2")
    await one.send("small")
    await one.expect_messages("small")
    await expect(one.page.get_by_label("Title")).to_be_hidden()
    assert await one.page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_the_keyboard_alone_selects_and_marks_a_message(clients: WebClients, title: str) -> None:
    one = await clients.desk(1)
    await one.create(title, "2")
    await one.send("pick me")
    await one.expect_messages("pick me")
    await one.page.get_by_role("listbox", name="Messages").press("ArrowUp")
    await expect(one.page.get_by_test_id("selected")).to_have_text("Selected: seq 1 of 1")
    await expect(one.page.get_by_role("button", name="Mark read")).to_be_enabled()


async def watch_sockets(page: Page) -> list[WebSocketRoute]:
    """Returns every socket that the page opens from now on; each reaches the server until
    a test closes it.
    """
    opened: list[WebSocketRoute] = []

    def attach(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        opened.append(socket)

    await page.route_web_socket(SOCKETS, attach)
    return opened


async def answer_404(route: Route) -> None:
    await route.fulfill(status=404, json={"title": "Not Found", "code": "not_found", "retryable": False})
