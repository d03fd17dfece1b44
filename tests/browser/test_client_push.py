"""The web client's service worker in Chromium: the client without a network, pushes, and their settings.

Chromium has no push service here, so a subscription is made up in the page; the gateway stores it as any
other. Pushes come by the DevTools protocol, as if from the push service.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Final

import psycopg2
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import BrowserContext, expect

from messenger_shared.contract.schemas.push import encoded
from tests.browser.client import Chat, WebClients, new_user, wait_for_expression
from tests.browser.pushes import SHOWN, pushes_to, shows, worker_of
from tests.browser.test_client_looks import NARROW, SCHEMES, assert_accessible, assert_fits
from tests.browser.whole_browser import whole_browser as whole_browser
from tests.waiting import eventually

KOREAN: Final = "document.querySelector('link[rel=manifest]').href.endsWith('/app/manifest.ko.webmanifest')"
CACHED: Final = """(async () => {
  const kept = [];
  for (const name of await caches.keys())
    for (const request of await (await caches.open(name)).keys()) kept.push(new URL(request.url).pathname);
  return kept.sort();
})()"""
# The page hears nothing of its service worker until `listen`, as while it starts.
LISTENS_LATER: Final = """
  const add = EventTarget.prototype.addEventListener;
  ServiceWorkerContainer.prototype.addEventListener = function (...all) {
    window.listen = () => add.apply(this, all);
  };
"""
# Subscribes as a browser with a push service does. `endpoint` changes whenever it subscribes anew.
SUBSCRIBES: Final = """
  window.subscribed = 0;
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (!userVisibleOnly || !applicationServerKey) throw new DOMException('', 'NotAllowedError');
    window.subscribed += 1;
    const endpoint = `%s/${sessionStorage.length}-${window.subscribed}`;
    return { endpoint, unsubscribe: async () => true, toJSON: () => ({ endpoint, keys: %s }) };
  };
"""


@pytest_asyncio.fixture(loop_scope="session")
async def context(clients: WebClients) -> BrowserContext:
    return await clients.context(permissions=["notifications"], service_workers="allow", viewport=NARROW)


async def test_the_client_is_an_app_that_opens_without_a_network_and_says_so(
    clients: WebClients, context: BrowserContext
) -> None:
    one = new_user()
    room = await clients.group("Kept", one, new_user())
    chat = await clients.chat(one, context)
    page = chat.page
    await worker_of(chat)
    devtools = await context.new_cdp_session(page)
    manifest = await devtools.send("Page.getAppManifest")
    assert (manifest["url"], manifest["errors"]) == (f"{clients.url}/app/manifest.webmanifest", [])
    # A private window installs nothing. It is the only thing that is in the way.
    missing = (await devtools.send("Page.getInstallabilityErrors"))["installabilityErrors"]
    assert {each["errorId"] for each in missing} <= {"in-incognito"}
    await devtools.detach()
    await page.goto(f"{clients.url}/c/{room}?user_id={one}")
    await chat.expect_connected()
    await context.set_offline(True)
    await page.reload()
    await chat.expect_banner("You are offline.")
    await assert_accessible(page)
    await chat.save_screenshot("offline")
    assert not [path for path in await page.evaluate(CACHED) if path.startswith("/api/")]
    await context.set_offline(False)
    await chat.expect_connected()
    await expect(page.get_by_role("textbox", name="Message", exact=True)).to_be_visible()


async def test_a_page_with_a_worker_gets_the_new_version_at_once(clients: WebClients) -> None:
    """The gateway of a new version serves another page; what the worker has kept must not hide it."""
    chat = await clients.chat(new_user(), service_workers="allow")
    await worker_of(chat)
    page = chat.page
    await page.reload()
    await chat.expect_connected()
    assert await page.evaluate("navigator.serviceWorker.controller !== null")
    await page.evaluate(
        """async () => {
          const [name] = (await caches.keys()).filter(each => each.startsWith('messenger shell'));
          const headers = { 'Content-Type': 'text/html' };
          await (await caches.open(name)).put('/', new Response('<title>Old</title>', { headers }));
        }"""
    )
    await page.reload()
    await chat.expect_connected()
    assert await page.title() != "Old"


async def test_a_push_is_shown_once_and_goes_when_it_is_read(
    clients: WebClients, context: BrowserContext
) -> None:
    one = new_user()
    room = await clients.group("Tea", one, new_user())
    chat = await clients.chat(one, context)
    page = chat.page
    pushes = await pushes_to(chat)
    await pushes.message(room, 2, "The kettle is on")
    await shows(page, "The kettle is on")
    assert await page.evaluate(SHOWN) == [["Grace · Tea", "The kettle is on", room, 2]]
    await pushes.message(room, 3, "It boils")
    await shows(page, "It boils")
    await pushes.message(room, 1, "Late")
    await pushes.deliver(type="read", conversation_id=room, seq=2, badge=1)
    await pushes.deliver(type="something new", badge=1)
    await pushes.deliver(type="test", badge=1)
    await shows(page, "It boils", "Notifications reach this device.")
    await pushes.deliver(type="read", conversation_id=room, seq=3, badge=0)
    await shows(page, "Notifications reach this device.")


async def test_a_click_opens_the_conversation_in_the_tab_that_is_there(
    clients: WebClients, context: BrowserContext
) -> None:
    one = new_user()
    room = await clients.group("Clicked", one, new_user())
    await context.add_init_script(LISTENS_LATER)
    chat = await clients.chat(one, context)
    worker = await worker_of(chat)
    pushes = await pushes_to(chat)
    await pushes.message(room, 1, "Here")
    await shows(chat.page, "Here")
    await worker.evaluate(
        """async () => {
          const [notification] = await registration.getNotifications();
          dispatchEvent(new NotificationEvent('notificationclick', { notification }));
        }"""
    )
    # The page is still starting: it hears of the click later.
    await shows(chat.page)
    await chat.page.evaluate("listen()")
    await expect(chat.text_box).to_be_visible()
    assert room in chat.page.url
    await shows(chat.page)
    assert len(context.pages) == 1
    # The conversation is open and has the focus, so a push of it shows nothing.
    await chat.page.bring_to_front()
    assert await chat.page.evaluate("document.hasFocus()")
    await pushes.message(room, 2, "Seen")
    await pushes.deliver(type="test", badge=0)
    await shows(chat.page, "Notifications reach this device.")


def device(context_id: str) -> str:
    """The script of a browser with a push service."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    keys = {"p256dh": encoded(point), "auth": encoded(uuid.uuid4().bytes)}
    return SUBSCRIBES % (f"https://push.example/{context_id}", json.dumps(keys))


def stored(url: str, user: int) -> list[str]:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT endpoint FROM messenger.push_subscriptions WHERE user_id = %s", (user,))
            return sorted(endpoint for (endpoint,) in cursor.fetchall())
    finally:
        connection.close()


async def stores(clients: WebClients, user: int, count: int) -> list[str]:
    """Waits until the gateway has so many devices of the user."""

    async def has() -> bool:
        return len(await asyncio.to_thread(stored, clients.stack.database_url, user)) == count

    await eventually(has, 30)
    return await asyncio.to_thread(stored, clients.stack.database_url, user)


async def look_at_the_settings(chat: Chat) -> None:
    for scheme in SCHEMES:
        await chat.page.emulate_media(color_scheme=scheme)
        await assert_accessible(chat.page)
        await assert_fits(chat.page, NARROW)
        await chat.page.get_by_role("button", name="Leave").scroll_into_view_if_needed()
        await chat.save_screenshot(f"push-settings-{scheme}")


async def test_the_settings_turn_push_on_and_off_and_leaving_turns_it_off(
    clients: WebClients, context: BrowserContext
) -> None:
    one = new_user()
    await context.add_init_script(device(str(one)))
    chat = await clients.chat(one, context)
    page = chat.page
    await worker_of(chat)
    await chat.open_dialog("Menu")
    dialog = page.get_by_role("dialog")
    switch = dialog.get_by_role("switch", name="Notify me also when Messenger is closed")
    await switch.click()
    await expect(switch).to_be_checked()
    [endpoint] = await stores(clients, one, 1)
    assert endpoint.startswith(f"https://push.example/{one}/")
    await dialog.get_by_role("button", name="Send a test notification").click()
    await expect(dialog).to_contain_text("It comes to all your devices")
    await dialog.get_by_role("switch", name="Quiet hours").click()
    await dialog.get_by_label("From").fill("23:30")
    await dialog.get_by_label("To", exact=True).focus()
    reader = await clients.api_user(one)

    async def is_quiet() -> bool:
        hours = (await reader.get("/push/settings")).body["quiet_hours"]
        return hours is not None and (hours["start"], hours["end"]) == ("23:30", "07:00")

    await eventually(is_quiet, 30)
    await look_at_the_settings(chat)
    # The browser has no subscription any more, so the page makes another one when it starts.
    await page.reload()
    await chat.expect_connected()
    await eventually(lambda: page.evaluate("subscribed === 1"), 30)
    await stores(clients, one, 1)
    await chat.open_dialog("Menu")
    await expect(switch).to_be_checked()
    await dialog.get_by_role("button", name="Leave").click()
    await stores(clients, one, 0)
    await expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()


async def test_push_is_offered_once_after_the_first_message(clients: WebClients) -> None:
    one = new_user()
    await clients.group("Offered", one, new_user())
    context = await clients.context(viewport=NARROW, permissions=["notifications"])
    chat = await clients.chat(one, context)
    page = chat.page
    offer = page.get_by_role("group", name="Get notified when Messenger is closed?")
    await page.get_by_role("button", name="Offered").first.click()
    box = page.locator("textarea")
    await expect(box).to_be_visible()
    await expect(offer).to_have_count(0)
    await box.fill("hello")
    await box.press("Enter")
    await expect(offer).to_be_visible()
    await assert_accessible(page)
    await assert_fits(page, NARROW)
    await chat.save_screenshot("push-offer")
    await offer.get_by_role("button", name="No, thanks").click()
    await expect(offer).to_have_count(0)
    await page.reload()
    await box.fill("again")
    await box.press("Enter")
    await chat.expect_status("again", "delivered")
    await wait_for_expression(
        page, "performance.getEntriesByType('resource').some(e => /PushOffer/.test(e.name))"
    )
    await expect(offer).to_have_count(0)


async def test_where_push_cannot_work_the_settings_say_why(clients: WebClients) -> None:
    context = await clients.context(locale="ko-KR", viewport=NARROW)
    await context.add_init_script(
        "Object.defineProperty(Notification, 'permission', { get: () => 'denied' })"
    )
    chat = await clients.chat(new_user(), context)
    await chat.page.get_by_role("button", name="메뉴").click()
    dialog = chat.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("브라우저 설정에서 이 페이지의 알림을 허용하면 켤 수 있습니다.")
    await assert_accessible(chat.page)
    await chat.save_screenshot("push-denied")
    await eventually(lambda: chat.page.evaluate(KOREAN), 30)
    await chat.page.add_init_script("delete window.PushManager")
    await chat.page.reload()
    await chat.page.get_by_role("button", name="메뉴").click()
    await expect(dialog).to_contain_text("메신저를 닫은 동안 알림을 받을 수 없습니다.")
