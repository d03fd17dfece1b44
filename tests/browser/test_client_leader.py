"""The web client in Chromium when the leading tab is stopped, or the browser refuses what tabs need."""

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, async_playwright, expect

from tests.browser.client import Chat, WebClients, new_user, wait_for_expression
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.waiting import until

# Keeps what the browser would show where a test can read it, for a user who is elsewhere.
NOTICES = """
    class Kept { static permission = 'granted';
      constructor(title, options) { (window.shown ??= []).push(options.body) } close() {} }
    window.Notification = Kept; document.hasFocus = () => false; window.shown = [];
"""
REFUSALS = {
    "locks": """LockManager.prototype.request = () =>
        Promise.reject(new DOMException('denied', 'SecurityError'))""",
    "locks, by throwing": """LockManager.prototype.request = () => {
        throw new DOMException('denied', 'SecurityError') }""",
    "to have locks": "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })",
    "to have channels": "delete window.BroadcastChannel",
    "channels": "window.BroadcastChannel = function () { throw new DOMException('no', 'SecurityError') }",
    "local storage": """Object.defineProperty(window, 'localStorage', {
        get() { throw new DOMException('denied', 'SecurityError') } })""",
}
BLOCKED = 2
IS_BLOCKED = "(() => { try { return localStorage === null } catch { return true } })()"


async def two_tabs(clients: WebClients, title: str) -> tuple[Chat, Chat, str, int]:
    """Opens two tabs of one user, the first of which leads; a second user writes to them."""
    one, two = new_user(), new_user()
    room = await clients.group(title, one, two)
    context = await clients.context()
    await context.add_init_script(NOTICES)
    first, second = await clients.chat(one, context), await clients.chat(one, context)
    for tab in (first, second):
        await tab.open(title)
    return first, second, room, two


def frames_of(chat: Chat) -> list[str | bytes]:
    """Returns a list that gets every frame of the sockets that this tab opens from now on."""
    frames: list[str | bytes] = []

    def keep(frame: str | bytes) -> None:
        frames.append(frame)

    chat.page.on("websocket", lambda socket: socket.on("framereceived", keep))
    return frames


async def is_told_by_another(
    clients: WebClients, second: Chat, room: str, other: int, frames: list[str | bytes]
) -> None:
    """While the first tab is stopped, the second one gets everything within seconds, and can send."""
    await clients.post(other, room, "while it is stopped")
    await second.expect_messages("while it is stopped")
    # Until its own socket has caught up, it may show as connected through the first tab. Messages that the
    # replay brings aren't notified.
    await until(lambda: any('"resumed"' in str(frame) for frame in frames))
    await second.expect_connected()
    await clients.post(other, room, "told at once")
    await second.expect_messages("while it is stopped", "told at once")
    # Before this user writes: who writes has read, so there would be nothing left to notify of.
    await wait_for_expression(second.page, "window.shown.includes('told at once')")
    await second.send("from the second")
    await second.expect_status("from the second", "delivered")


async def nothing_is_doubled(clients: WebClients, tabs: tuple[Chat, Chat], room: str, other: int) -> None:
    """The first tab runs again, and no message appears twice."""
    first, second = tabs
    seen = ["while it is stopped", "told at once", "from the second"]
    await first.expect_messages(*seen)
    await first.expect_connected()
    await clients.post(other, room, "to both")
    for tab in tabs:
        await tab.expect_messages(*seen, "to both")
    await wait_for_expression(second.page, "window.shown.includes('to both')")
    shown = [*await notices(first), *await notices(second)]
    assert {"to both", "told at once"} <= set(shown)
    assert len(shown) == len(set(shown))
    assert await clients.stored_texts(first.user, room) == [*seen, "to both"]


async def test_a_leader_whose_renderer_is_stopped_is_replaced_and_yields(clients: WebClients) -> None:
    first, second, room, other = await two_tabs(clients, "Stopped")
    frames, pid = frames_of(second), await renderer_of(clients, first.page)
    os.kill(pid, signal.SIGSTOP)
    try:
        await is_told_by_another(clients, second, room, other, frames)
    finally:
        os.kill(pid, signal.SIGCONT)
    await nothing_is_doubled(clients, (first, second), room, other)
    await second.page.close()
    await first.send("leads again")
    await first.expect_status("leads again", "delivered")


async def test_a_leader_that_is_told_of_its_freezing_gives_the_lead_away(clients: WebClients) -> None:
    # A browser freezes only hidden pages, which a test's page never is. The page gets the same event.
    first, second, room, other = await two_tabs(clients, "Frozen")
    frames = frames_of(second)
    await first.page.evaluate("document.dispatchEvent(new Event('freeze'))")
    await is_told_by_another(clients, second, room, other, frames)
    await first.page.evaluate("document.dispatchEvent(new Event('resume'))")
    await nothing_is_doubled(clients, (first, second), room, other)
    await second.page.close()
    await first.send("leads again")
    await first.expect_status("leads again", "delivered")


async def test_what_a_stopped_leader_was_sending_is_sent_once(clients: WebClients) -> None:
    first, second, room, _ = await two_tabs(clients, "Mid-send")
    pid = await renderer_of(clients, first.page)
    os.kill(pid, signal.SIGSTOP)
    try:
        await second.send("to be sent by a leader")
        await second.expect_status("to be sent by a leader", "delivered")
    finally:
        os.kill(pid, signal.SIGCONT)
    await first.expect_messages("to be sent by a leader")
    for tab in (first, second):
        await expect(tab.page.locator("[data-status=sending]")).to_have_count(0)
    assert await clients.stored_texts(first.user, room) == ["to be sent by a leader"]


@pytest.mark.parametrize("what", REFUSALS)
async def test_a_browser_that_refuses_lets_each_tab_work(clients: WebClients, what: str) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Refused", one, two)
    context = await clients.context()
    await context.add_init_script(REFUSALS[what])
    await tabs_work(clients, context, (one, two), room)


async def test_a_browser_that_blocks_all_site_data_lets_each_tab_work(
    clients: WebClients, tmp_path: Path
) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Refused", one, two)
    async with browser_without_site_data(tmp_path) as context:
        await tabs_work(clients, context, (one, two), room)
        assert await context.pages[-1].evaluate(IS_BLOCKED)


async def tabs_work(clients: WebClients, context: BrowserContext, users: tuple[int, int], room: str) -> None:
    one, two = users
    tabs = [await clients.chat(one, context) for _ in range(2)]
    for tab in tabs:
        await tab.open("Refused")
    await clients.post(two, room, "to both")
    for tab in tabs:
        await tab.expect_messages("to both")
    await tabs[1].send("from the second")
    for tab in tabs:
        await tab.expect_status("from the second", "delivered")
        await tab.expect_messages("to both", "from the second")
    assert await clients.stored_texts(one, room) == ["to both", "from the second"]


async def notices(chat: Chat) -> list[str]:
    found: list[str] = await chat.page.evaluate("window.shown")
    return found


async def renderer_of(clients: WebClients, page: Page) -> int:
    """Returns the pid of this page's renderer: the process that works while the page does."""
    session = await clients.browser.new_browser_cdp_session()
    answer = await session.send("SystemInfo.getProcessInfo")
    pids = [row["id"] for row in answer["processInfo"] if row["type"] == "renderer"]
    before = {pid: ticks_of(pid) for pid in pids}
    await page.evaluate("(() => { const end = performance.now() + 700; while (performance.now() < end); })()")
    busiest: int = max(pids, key=lambda pid: ticks_of(pid) - before[pid])
    return busiest


def ticks_of(pid: int) -> int:
    """Returns the user-mode CPU time of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])


@asynccontextmanager
async def browser_without_site_data(profile: Path) -> AsyncIterator[BrowserContext]:
    """Yields a Chromium whose user forbids sites to keep data."""
    (profile / "Default").mkdir()
    settings = {"profile": {"default_content_setting_values": {"cookies": BLOCKED}}}
    (profile / "Default" / "Preferences").write_text(json.dumps(settings))
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=list(ARGUMENTS), locale="en-US"
        )
        try:
            yield context
        finally:
            await context.close()
