"""The demo page in Chromium, over the whole stack: two people, one conversation, every frame in sight."""

import json
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

import pytest
from playwright.async_api import Browser, Page, Route, WebSocketRoute, expect

SOCKETS = re.compile(r"/api/v1/messenger/ws")
PATIENCE_MS = 15_000

expect.set_options(timeout=PATIENCE_MS)


class Stack(Protocol):
    """What the `stack` fixture gives: the services, run as `messenger up` runs them."""

    url: str


@dataclass(frozen=True)
class Desk:
    """One user in front of the page, and what a user does there."""

    page: Page
    faults: list[str]

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

    async def say(self, text: str) -> None:
        await self.page.get_by_label("Message", exact=True).fill(text)
        await self.press("Send")

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def sees(self, *texts: str) -> None:
        """Exactly these messages, in this order."""
        await expect(self.page.get_by_test_id("message").locator(".said")).to_have_text(list(texts))

    async def is_told(self, text: str) -> None:
        await expect(self.page.get_by_test_id("state")).to_contain_text(text)

    async def logged(self, kind: str, text: str) -> None:
        entries = self.page.locator(f"[data-testid=log-entry][data-kind={kind}]")
        await expect(entries.filter(has_text=text).first).to_be_visible()


@dataclass(frozen=True)
class Office:
    """Opens desks, each in a browser context of its own, and keeps what went wrong on any of them."""

    browser: Browser
    url: str
    faults: list[str]

    async def page(self, **options: object) -> Page:
        context = await self.browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda line: self._heard(line.text))
        return page

    def _heard(self, line: str) -> None:
        if "Content Security Policy" in line:
            self.faults.append(line)

    async def desk(self, user_id: int, page: Page | None = None) -> Desk:
        page = page or await self.page()
        await page.goto(f"{self.url}/demo?user_id={user_id}")
        desk = Desk(page, self.faults)
        await desk.is_told(f"Connected as user {user_id}")
        return desk


@pytest.fixture
async def office(browser: Browser, stack: Stack) -> AsyncIterator[Office]:
    opened = Office(browser, stack.url, [])
    yield opened
    assert opened.faults == [], "a script failed or the content security policy was broken"


@pytest.fixture
def title() -> str:
    return f"Talk {uuid.uuid4().hex[:8]}"


async def test_two_people_chat_both_ways(office: Office, title: str) -> None:
    one, two = await office.desk(1), await office.desk(2)
    await one.create(title, "2")
    await one.say("Hello, are you there?")
    await two.open(title)
    await two.sees("Hello, are you there?")
    await two.say("I am, and I see you.")
    await one.sees("Hello, are you there?", "I am, and I see you.")
    await two.sees("Hello, are you there?", "I am, and I see you.")


async def test_who_types_is_seen_by_the_other_and_goes_when_it_stops(office: Office, title: str) -> None:
    one, two = await office.desk(1), await office.desk(2)
    await one.create(title, "2")
    await two.open(title)
    await two.press("Typing start")
    await expect(one.page.get_by_test_id("typing")).to_have_text("2 is typing…")
    await two.press("Typing stop")
    await expect(one.page.get_by_test_id("typing")).to_be_empty()


async def test_a_reload_comes_back_to_the_conversation_with_its_history(office: Office, title: str) -> None:
    one = await office.desk(1)
    await one.create(title, "2")
    await one.say("first")
    await one.say("second")
    await one.sees("first", "second")
    await one.page.reload()
    await one.is_told("Connected as user 1")
    await one.sees("first", "second")


async def test_markup_in_a_message_stays_text(office: Office, title: str) -> None:
    one = await office.desk(1)
    text = "<img src=x onerror=alert(1)> <b>bold</b> javascript:alert(1)"
    await one.create(title, "2")
    await one.say(text)
    await one.sees(text)
    await expect(one.page.get_by_test_id("message").locator("img, b, a")).to_have_count(0)


async def test_the_log_shows_frames_of_both_directions_and_unfolds_them(office: Office, title: str) -> None:
    one = await office.desk(1)
    conversation_id = await one.create(title, "2")
    await one.say("into the log")
    await one.logged("rest", "POST /conversations")
    await one.logged("out", "message.send")
    await one.logged("in", "message.sent")
    await one.page.get_by_label("Filter").fill("message.new -replay")
    arrived = one.page.get_by_test_id("log-entry").filter(has_text="message.new", visible=True)
    await expect(arrived).to_have_count(1)
    await arrived.locator("summary").click()
    assert json.loads(await arrived.locator("pre").inner_text())["conversation_id"] == conversation_id


async def test_a_token_is_not_in_the_log(office: Office) -> None:
    one = await office.desk(1)
    await one.logged("rest", "POST /dev/token")
    entry = one.page.get_by_test_id("log-entry").filter(has_text="POST /dev/token")
    await entry.locator("summary").click()
    token = json.loads(await entry.locator("pre").inner_text())["answer"]["token"]
    assert token.endswith("… (hidden)")


async def test_an_error_frame_is_shown_with_its_code(office: Office) -> None:
    one = await office.desk(1)
    await one.page.get_by_label("Conversation id").fill("seven")
    await one.press("Subscribe")
    notice = one.page.get_by_test_id("notice")
    await expect(notice).to_contain_text("Invalid conversation_id format")
    await expect(notice).to_contain_text("invalid_conversation_id · to subscribe")


async def test_a_socket_told_to_come_back_does_and_misses_nothing(office: Office, title: str) -> None:
    page = await office.page()
    sockets = await watch_sockets(page)
    one, two = await office.desk(1, page), await office.desk(2)
    await one.create(title, "2")
    await two.open(title)
    await one.say("before")
    await two.sees("before")
    await sockets[-1].close(code=4001, reason='{"code":"draining","retry_after_ms":1000}')
    await one.is_told("Coming back")
    await two.say("meanwhile")
    await one.is_told("Connected as user 1")
    await one.sees("before", "meanwhile")
    await one.logged("out", "after_pos")


@pytest.mark.parametrize("code", [1000, 1008, 4504])
async def test_a_socket_told_to_stay_away_stays_away(office: Office, code: int) -> None:
    page = await office.page()
    sockets = await watch_sockets(page)
    one = await office.desk(1, page)
    await sockets[-1].close(code=code, reason='{"code":"told"}')
    await one.is_told(f"Closed: {code}")
    await one.is_told("Not coming back by itself")
    assert len(sockets) == 1


async def test_a_server_that_mints_no_tokens_is_given_one(office: Office) -> None:
    page = await office.page()
    await page.route("**/dev/token", answer_404)
    await page.goto(f"{office.url}/demo?user_id=1")
    await expect(page.get_by_label("Token")).to_be_visible()
    await page.get_by_label("Token").fill("not.a.token")
    await page.get_by_role("button", name="Connect", exact=True).click()
    await expect(page.get_by_test_id("state")).to_contain_text("1008, not authorised")


async def test_a_narrow_screen_shows_one_pane_and_does_not_scroll_sideways(
    office: Office, title: str
) -> None:
    one = await office.desk(1, await office.page(viewport={"width": 360, "height": 720}))
    await one.page.get_by_role("button", name="Chats").click()
    await one.create(title, "2")
    await one.say("small")
    await one.sees("small")
    await expect(one.page.get_by_label("Title")).to_be_hidden()
    assert await one.page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_the_keyboard_alone_selects_and_marks_a_message(office: Office, title: str) -> None:
    one = await office.desk(1)
    await one.create(title, "2")
    await one.say("pick me")
    await one.sees("pick me")
    await one.page.get_by_role("listbox", name="Messages").press("ArrowUp")
    await expect(one.page.get_by_test_id("selected")).to_have_text("Selected: seq 1 of 1")
    await expect(one.page.get_by_role("button", name="Mark read")).to_be_enabled()


async def watch_sockets(page: Page) -> list[WebSocketRoute]:
    """Every socket that the page opens from now on; they reach the server until the test closes one."""
    opened: list[WebSocketRoute] = []

    def attach(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        opened.append(socket)

    await page.route_web_socket(SOCKETS, attach)
    return opened


async def answer_404(route: Route) -> None:
    await route.fulfill(status=404, json={"title": "Not Found", "code": "not_found", "retryable": False})
