"""The web client in Chromium when things break: reloads, no network, killed gateways, many tabs."""

import asyncio
import json
import os
import signal
from typing import Any

from playwright.async_api import BrowserContext, Page, WebSocketRoute, expect

from tests.browser.client import Chat, Office, frame_of, new_user, on_page
from tests.waiting import until

SOCKETS = "**/api/v1/messenger/ws/**"


async def test_a_reload_in_mid_send_loses_nothing_and_doubles_nothing(office: Office) -> None:
    one = new_user()
    room = await office.group("Reload", one, new_user())
    context = await office.context()
    held: list[str] = []
    is_over = asyncio.Event()
    await hold_answers(context, held, is_over)
    chat = await office.chat(one, context)
    await chat.open("Reload")
    # The first is stored, but the client never hears of it; the others wait behind it.
    for text in ("a", "b", "c"):
        await chat.say(text)
    await expect(chat.messages).to_have_count(3)
    await until(lambda: held)
    await nothing_is_a_draft(chat)
    is_over.set()
    page = await reopened(context, chat, office)
    await Chat(page, one).sees("a", "b", "c")
    await expect(page.locator("[data-status=sending]")).to_have_count(0)
    assert await office.stored(one, room) == ["a", "b", "c"]


async def test_ten_messages_written_offline_go_out_in_order_and_once(office: Office) -> None:
    one, two = new_user(), new_user()
    room = await office.group("Offline", one, two)
    context = await office.context()
    chat = await office.chat(one, context)
    await chat.open("Offline")
    await chat.say("before")
    await chat.has_status("before", "delivered")
    await context.set_offline(True)
    await chat.is_told("You are offline.")
    texts = [f"offline {n}" for n in range(10)]
    for text in texts:
        await chat.say(text)
    await chat.is_told("10 messages wait and will be sent.")
    await chat.sees("before", *texts)
    await chat.picture("offline")
    await office.post(two, room, "meanwhile")
    await context.set_offline(False)
    await expect(chat.page.locator("[data-status=sending]")).to_have_count(0)
    await chat.sees("before", "meanwhile", *texts)
    assert await office.stored(one, room) == ["before", "meanwhile", *texts]


async def test_what_is_written_offline_outlives_the_page(office: Office) -> None:
    one = new_user()
    room = await office.group("Closed", one, new_user())
    context = await office.context()
    chat = await office.chat(one, context)
    await chat.open("Closed")
    await context.set_offline(True)
    await chat.is_told("You are offline.")
    await chat.say("kept")
    await nothing_is_a_draft(chat)
    await chat.page.close()
    await context.set_offline(False)
    again = await office.chat(one, context)
    await again.open("Closed")
    await again.has_status("kept", "delivered")
    assert await office.stored(one, room) == ["kept"]


async def test_eight_tabs_share_one_socket_and_outlive_the_one_that_has_it(office: Office) -> None:
    one, two = new_user(), new_user()
    room = await office.group("Tabs", one, two)
    context = await office.context()
    opened: list[str] = []
    context.on("page", lambda page: page.on("websocket", lambda socket: opened.append(socket.url)))
    tabs = [await office.chat(one, context) for _ in range(8)]
    for tab in tabs:
        await tab.open("Tabs")
    await office.post(two, room, "to all of you")
    for tab in tabs:
        await tab.sees("to all of you")
    assert len(opened) == 1
    await tabs[5].say("from the sixth")
    for tab in tabs:
        await tab.sees("to all of you", "from the sixth")
        await tab.has_status("from the sixth", "delivered")
    await tabs[0].page.close()
    await office.post(two, room, "still there?")
    for tab in tabs[1:]:
        await tab.sees("to all of you", "from the sixth", "still there?")
    await until(lambda: len(opened) == 2)


async def test_a_killed_gateway_costs_a_moment_and_no_message(office: Office) -> None:
    one, two = new_user(), new_user()
    room = await office.group("Killed", one, two)
    first, second = await office.chat(one), await office.chat(two)
    await first.open("Killed")
    await second.open("Killed")
    texts = []
    for round_ in range(3):
        for pid in workers(office):
            os.kill(pid, signal.SIGKILL)
        for n in range(3):
            texts.append(f"round {round_}, {n}")
            await first.say(texts[-1])
        await expect(first.page.locator("[data-status=sending]")).to_have_count(0)
    await first.is_connected()
    await second.is_connected()
    await first.sees(*texts)
    await second.sees(*texts)
    assert await office.stored(one, room) == texts


async def test_a_refused_message_stays_with_its_reason_until_it_is_sent_or_given_up(office: Office) -> None:
    one = new_user()
    await office.group("Refused", one, new_user())
    context = await office.context()
    is_over = asyncio.Event()
    await refuse_sends(context, is_over)
    chat = await office.chat(one, context)
    await chat.open("Refused")
    await chat.say("refused")
    await expect(chat.message("refused")).to_contain_text("Not sent: You may not do this.")
    await expect(chat.page.get_by_role("navigation").get_by_text("Not sent")).to_be_visible()
    await chat.picture("failed")
    page = await reopened(context, chat, office)
    again = Chat(page, one)
    await expect(again.message("refused")).to_contain_text("Not sent")
    is_over.set()
    page = await reopened(context, again, office)
    again = Chat(page, one)
    await again.message("refused").get_by_role("button", name="Try again").click()
    await again.has_status("refused", "delivered")


async def watched_sockets(context: BrowserContext) -> list[WebSocketRoute]:
    """All sockets that its pages open from now on; they work, and can be ended from here."""
    sockets: list[WebSocketRoute] = []

    def attach(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    await context.route_web_socket(SOCKETS, attach)
    return sockets


async def test_a_session_that_was_ended_says_so_and_keeps_what_is_typed(office: Office) -> None:
    one = new_user()
    await office.group("Ended", one, new_user())
    context = await office.context()
    sockets = await watched_sockets(context)
    chat = await office.chat(one, context)
    await chat.open("Ended")
    await sockets[-1].close(code=4503, reason='{"code":"session_revoked"}')
    await chat.is_told("This session was ended")
    await chat.say("typed all the same")
    await chat.has_status("typed all the same", "sending")
    assert len(sockets) == 1
    await chat.page.get_by_role("button", name="Connect again").click()
    await chat.has_status("typed all the same", "delivered")


async def test_a_draining_gateway_is_left_without_a_word(office: Office) -> None:
    one, two = new_user(), new_user()
    room = await office.group("Draining", one, two)
    context = await office.context()
    sockets = await watched_sockets(context)
    chat = await office.chat(one, context)
    await chat.open("Draining")
    await chat.page.evaluate(
        """window.phases = new Set(); new MutationObserver(() =>
             phases.add(document.querySelector('.banner').dataset.phase))
             .observe(document.querySelector('.banner'), { attributes: true })"""
    )
    sockets[0].send('{"type":"system","event":"draining","reconnect_after_ms":100}')
    await office.post(two, room, "meanwhile")
    await chat.sees("meanwhile")
    await until(lambda: len(sockets) == 2)
    await office.post(two, room, "afterwards")
    await chat.sees("meanwhile", "afterwards")
    assert await chat.page.evaluate("[...phases]") in ([], ["online"])


def workers(office: Office) -> list[int]:
    rows = office.stack.status()["processes"]
    return [row["pid"] for row in rows if (row["service"], row["role"]) == ("gateway", "worker")]


async def nothing_is_a_draft(chat: Chat) -> None:
    """Returns when all that was said is kept to be sent; until then it would be back in the box."""
    await on_page(chat.page, "Object.keys(localStorage).every(key => !key.includes('draft'))")


async def hold_answers(context: BrowserContext, held: list[str], is_over: asyncio.Event) -> None:
    """From the first answer to a send on, nothing comes back any more."""

    def attach(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            is_answer = frame_of(text).get("type") in ("message.sent", "message.new")
            if not is_over.is_set() and (held or is_answer):
                held.append(str(text))
            else:
                socket.send(text)

        server.on_message(pass_on)

    await context.route_web_socket(SOCKETS, attach)


async def refuse_sends(context: BrowserContext, is_over: asyncio.Event) -> None:
    """What a member is told who may not write."""

    def attach(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            frame = frame_of(text)
            if frame["type"] == "message.send" and not is_over.is_set():
                socket.send(error_for(frame))
            else:
                server.send(text)

        socket.on_message(pass_on)

    await context.route_web_socket(SOCKETS, attach)


def error_for(frame: dict[str, Any]) -> str:
    refusal = {"type": "error", "message": "Forbidden", "code": "forbidden", "retryable": False}
    return json.dumps({**refusal, "ref": frame["ref"]})


async def reopened(context: BrowserContext, chat: Chat, office: Office) -> Page:
    """Another page at the same address: a route on sockets holds for pages that come after it."""
    url = chat.page.url
    await chat.page.close()
    page = await office.page(context)
    await page.goto(url)
    return page
