"""The web client in Chromium when things break: reloads, no network, killed gateways, many tabs."""

import asyncio
import json
import os
import signal
from typing import Any

from playwright.async_api import BrowserContext, Page, WebSocketRoute, expect

from tests.browser.client import Chat, WebClients, new_user, parse_frame, wait_for_expression
from tests.waiting import until

SOCKETS = "**/api/v1/messenger/ws/**"


async def test_a_reload_in_mid_send_loses_nothing_and_doubles_nothing(clients: WebClients) -> None:
    one = new_user()
    room = await clients.group("Reload", one, new_user())
    context = await clients.context()
    held: list[str] = []
    is_over = asyncio.Event()
    await hold_answers(context, held, is_over)
    chat = await clients.chat(one, context)
    await chat.open("Reload")
    # The first is stored, but its answer never reaches the client; the others wait behind it.
    for text in ("a", "b", "c"):
        await chat.send(text)
    await expect(chat.messages).to_have_count(3)
    await until(lambda: held)
    await nothing_is_a_draft(chat)
    is_over.set()
    page = await reopened(context, chat, clients)
    await Chat(page, one).expect_messages("a", "b", "c")
    await expect(page.locator("[data-status=sending]")).to_have_count(0)
    assert await clients.stored_texts(one, room) == ["a", "b", "c"]


async def test_ten_messages_written_offline_go_out_in_order_and_once(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Offline", one, two)
    context = await clients.context()
    chat = await clients.chat(one, context)
    await chat.open("Offline")
    await chat.send("before")
    await chat.expect_status("before", "delivered")
    await context.set_offline(True)
    await chat.expect_banner("You are offline.")
    texts = [f"offline {n}" for n in range(10)]
    for text in texts:
        await chat.send(text)
    await chat.expect_banner("10 messages wait and will be sent.")
    await chat.expect_messages("before", *texts)
    await chat.save_screenshot("offline")
    await clients.post(two, room, "meanwhile")
    await context.set_offline(False)
    await expect(chat.page.locator("[data-status=sending]")).to_have_count(0)
    await chat.expect_messages("before", "meanwhile", *texts)
    assert await clients.stored_texts(one, room) == ["before", "meanwhile", *texts]


async def test_what_is_written_offline_outlives_the_page(clients: WebClients) -> None:
    one = new_user()
    room = await clients.group("Closed", one, new_user())
    context = await clients.context()
    chat = await clients.chat(one, context)
    await chat.open("Closed")
    await context.set_offline(True)
    await chat.expect_banner("You are offline.")
    await chat.send("kept")
    await nothing_is_a_draft(chat)
    await chat.page.close()
    await context.set_offline(False)
    again = await clients.chat(one, context)
    await again.open("Closed")
    await again.expect_status("kept", "delivered")
    assert await clients.stored_texts(one, room) == ["kept"]


async def test_eight_tabs_share_one_socket_and_outlive_the_one_that_has_it(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Tabs", one, two)
    context = await clients.context()
    opened: list[str] = []
    context.on("page", lambda page: page.on("websocket", lambda socket: opened.append(socket.url)))
    tabs = [await clients.chat(one, context) for _ in range(8)]
    for tab in tabs:
        await tab.open("Tabs")
    await clients.post(two, room, "to all of you")
    for tab in tabs:
        await tab.expect_messages("to all of you")
    assert len(opened) == 1
    await tabs[5].send("from the sixth")
    for tab in tabs:
        await tab.expect_messages("to all of you", "from the sixth")
        await tab.expect_status("from the sixth", "delivered")
    await tabs[0].page.close()
    await clients.post(two, room, "still there?")
    for tab in tabs[1:]:
        await tab.expect_messages("to all of you", "from the sixth", "still there?")
    await until(lambda: len(opened) == 2)


async def test_a_killed_gateway_costs_a_moment_and_no_message(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Killed", one, two)
    first, second = await clients.chat(one), await clients.chat(two)
    await first.open("Killed")
    await second.open("Killed")
    texts = []
    for round_ in range(3):
        for pid in await clients.stack.workers("gateway"):
            os.kill(pid, signal.SIGKILL)
        for n in range(3):
            texts.append(f"round {round_}, {n}")
            await first.send(texts[-1])
        await expect(first.page.locator("[data-status=sending]")).to_have_count(0)
    await first.expect_connected()
    await second.expect_connected()
    await first.expect_messages(*texts)
    await second.expect_messages(*texts)
    assert await clients.stored_texts(one, room) == texts


async def test_a_refused_message_stays_with_its_reason_until_it_is_sent_or_given_up(
    clients: WebClients,
) -> None:
    one = new_user()
    await clients.group("Refused", one, new_user())
    context = await clients.context()
    is_over = asyncio.Event()
    await refuse_sends(context, is_over)
    chat = await clients.chat(one, context)
    await chat.open("Refused")
    await chat.send("refused")
    await expect(chat.message("refused")).to_contain_text("Not sent: You may not do this.")
    await expect(chat.page.get_by_role("navigation").get_by_text("Not sent")).to_be_visible()
    await chat.save_screenshot("failed")
    page = await reopened(context, chat, clients)
    again = Chat(page, one)
    await expect(again.message("refused")).to_contain_text("Not sent")
    is_over.set()
    page = await reopened(context, again, clients)
    again = Chat(page, one)
    await again.message("refused").get_by_role("button", name="Try again").click()
    await again.expect_status("refused", "delivered")


async def watched_sockets(context: BrowserContext) -> list[WebSocketRoute]:
    """Returns all sockets that its pages open from now on; they work, and the test can end them."""
    sockets: list[WebSocketRoute] = []

    def attach(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    await context.route_web_socket(SOCKETS, attach)
    return sockets


async def test_a_session_that_was_ended_says_so_and_keeps_what_is_typed(clients: WebClients) -> None:
    one = new_user()
    await clients.group("Ended", one, new_user())
    context = await clients.context()
    sockets = await watched_sockets(context)
    chat = await clients.chat(one, context)
    await chat.open("Ended")
    await sockets[-1].close(code=4503, reason='{"code":"session_revoked"}')
    await chat.expect_banner("This session was ended")
    await chat.send("typed all the same")
    await chat.expect_status("typed all the same", "sending")
    assert len(sockets) == 1
    await chat.page.get_by_role("button", name="Connect again").click()
    await chat.expect_status("typed all the same", "delivered")


async def test_a_draining_gateway_is_left_without_a_word(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Draining", one, two)
    context = await clients.context()
    sockets = await watched_sockets(context)
    chat = await clients.chat(one, context)
    await chat.open("Draining")
    await chat.page.evaluate(
        """window.phases = new Set(); new MutationObserver(() =>
             phases.add(document.querySelector('.banner').dataset.phase))
             .observe(document.querySelector('.banner'), { attributes: true })"""
    )
    sockets[0].send('{"type":"system","event":"draining","reconnect_after_ms":100}')
    await clients.post(two, room, "meanwhile")
    await chat.expect_messages("meanwhile")
    await until(lambda: len(sockets) == 2)
    await clients.post(two, room, "afterwards")
    await chat.expect_messages("meanwhile", "afterwards")
    assert await chat.page.evaluate("[...phases]") in ([], ["online"])


async def nothing_is_a_draft(chat: Chat) -> None:
    """Returns when every sent text is queued; until then it would come back as a draft."""
    await wait_for_expression(chat.page, "Object.keys(localStorage).every(key => !key.includes('draft'))")


async def hold_answers(context: BrowserContext, held: list[str], is_over: asyncio.Event) -> None:
    """From the first answer to a send on, no answer arrives."""

    def attach(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            is_answer = parse_frame(text).get("type") in ("message.sent", "message.new")
            if not is_over.is_set() and (held or is_answer):
                held.append(str(text))
            else:
                socket.send(text)

        server.on_message(pass_on)

    await context.route_web_socket(SOCKETS, attach)


async def refuse_sends(context: BrowserContext, is_over: asyncio.Event) -> None:
    """Answers as to a member who may not write."""

    def attach(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            frame = parse_frame(text)
            if frame["type"] == "message.send" and not is_over.is_set():
                socket.send(error_for(frame))
            else:
                server.send(text)

        socket.on_message(pass_on)

    await context.route_web_socket(SOCKETS, attach)


def error_for(frame: dict[str, Any]) -> str:
    refusal = {"type": "error", "message": "Forbidden", "code": "forbidden", "retryable": False}
    return json.dumps({**refusal, "ref": frame["ref"]})


async def reopened(context: BrowserContext, chat: Chat, clients: WebClients) -> Page:
    """Opens another page at the same address: a route on sockets holds only for later pages."""
    url = chat.page.url
    await chat.page.close()
    page = await clients.page(context)
    await page.goto(url)
    return page
