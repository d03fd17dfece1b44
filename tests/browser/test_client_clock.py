"""The web client in Chromium when the browser's clock is wrong, is set, or jumps over a sleep."""

import json

import pytest
from playwright.async_api import BrowserContext, Page, Request, WebSocketRoute, expect

from tests.browser.client import Chat, WebClients, new_user, parse_frame
from tests.waiting import until

SOCKETS = "**/api/v1/messenger/ws/**"
HOUR_MS = 3_600_000
# Only the wall clock is set; the monotonic clock goes on.
CLOCK = """
    window.aheadMs = %d;
    const Right = Date;
    window.Date = class extends Right {
      constructor(...given) { given.length ? super(...given) : super(Right.now() + window.aheadMs) }
      static now() { return Right.now() + window.aheadMs }
    };
"""


@pytest.mark.parametrize("hours", [-2, 2])
async def test_a_browser_that_is_hours_off_needs_one_token(clients: WebClients, hours: int) -> None:
    one = new_user()
    await clients.group("Off", one, new_user())
    context = await clients.context()
    await context.add_init_script(CLOCK % (hours * HOUR_MS))
    page = await clients.page(context)
    asked = tokens_asked_for(page)
    chat = await opened(page, clients, one)
    await chat.open("Off")
    await chat.send("read me")
    await chat.expect_status("read me", "delivered")
    for _ in range(4):
        await chat.choose_action("read me", "Who has read it")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()
    assert len(asked) == 1


@pytest.mark.parametrize("hours", [-2, 2])
async def test_a_clock_that_is_set_while_the_link_stalls_hides_no_dead_socket(
    clients: WebClients, hours: int
) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Stalled", one, two)
    context = await clients.context()
    await context.add_init_script(CLOCK % 0)
    stalled: list[WebSocketRoute] = []
    opened_sockets = await stalling(context, stalled)
    chat = await clients.chat(one, context)
    await chat.open("Stalled")
    await clients.post(two, room, "before")
    await chat.expect_messages("before")
    stalled.extend(opened_sockets)
    await chat.page.evaluate(f"window.aheadMs = {hours * HOUR_MS}")
    await clients.post(two, room, "while it stalls")
    await chat.expect_messages("before", "while it stalls")
    assert len(opened_sockets) > 1


async def test_a_clock_that_has_jumped_as_over_a_sleep_has_the_link_asked(clients: WebClients) -> None:
    one = new_user()
    await clients.group("Asleep", one, new_user())
    context = await clients.context()
    await context.add_init_script(CLOCK % 0)
    asked: list[str] = []
    context.on(
        "page",
        lambda page: page.on(
            "websocket", lambda socket: socket.on("framesent", lambda text: asked.append(str(text)))
        ),
    )
    chat = await clients.chat(one, context)
    await chat.page.evaluate(f"window.aheadMs = {HOUR_MS}")
    await until(lambda: any(json.loads(text)["type"] == "ping" for text in asked))
    await chat.expect_connected()


async def stalling(context: BrowserContext, stalled: list[WebSocketRoute]) -> list[WebSocketRoute]:
    """Sockets with a short heartbeat; a stalled one delivers nothing, and isn't closed."""
    opened_sockets: list[WebSocketRoute] = []

    def attach(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            frame = parse_frame(text)
            if frame.get("event") == "connected":
                frame["heartbeat_ms"] = 1_000
            if socket not in stalled:
                socket.send(json.dumps(frame))

        server.on_message(pass_on)
        opened_sockets.append(socket)

    await context.route_web_socket(SOCKETS, attach)
    return opened_sockets


def tokens_asked_for(page: Page) -> list[str]:
    asked: list[str] = []

    def on_request(request: Request) -> None:
        if request.url.endswith("/dev/token"):
            asked.append(request.url)

    page.on("request", on_request)
    return asked


async def opened(page: Page, clients: WebClients, user: int) -> Chat:
    await page.goto(f"{clients.url}/?user_id={user}")
    chat = Chat(page, user)
    await chat.expect_connected()
    await expect(page.get_by_role("navigation")).to_be_visible()
    return chat
