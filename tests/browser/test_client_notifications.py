"""The web client's notifications, as Chromium shows them, and in a browser that refuses them."""

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, expect

from tests.browser.client import Chat, WebClients, new_user, wait_for_expression
from tests.browser.whole_browser import whole_browser as whole_browser

# Keeps what the browser would show where a test can read it; a notification replaces one with the same tag.
KEPT = """
  window.shown = [];
  window.Notification = class {
    static permission = 'granted';
    static requestPermission = async () => Notification.permission;
    constructor(title, options) {
      shown.filter(other => other.tag === options.tag).forEach(other => { other.isGone = true });
      Object.assign(this, options, { title, isGone: false });
      shown.push(this);
    }
    close() { this.isGone = true }
  };
  document.hasFocus = () => window.isThere === true;
"""
OPEN = "shown.filter(each => !each.isGone).map(each => each.body)"


@pytest_asyncio.fixture(loop_scope="session")
async def context(clients: WebClients) -> BrowserContext:
    context = await clients.context(permissions=["notifications"])
    await context.add_init_script(KEPT)
    return context


async def shows(chat: Chat, *bodies: str) -> None:
    """Waits for exactly these notifications."""
    await wait_for_expression(chat.page, f"JSON.stringify({OPEN}) === JSON.stringify({list(bodies)})")


async def test_the_second_in_a_row_calls_too_and_takes_the_place_of_the_first(
    clients: WebClients, context: BrowserContext
) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Row", one, two)
    chat = await clients.listening_chat(one, context)
    await clients.post(two, room, "first")
    await shows(chat, "first")
    await clients.post(two, room, "second")
    await shows(chat, "second")
    assert await chat.page.evaluate("shown.every(each => each.tag && each.renotify)")


async def test_what_is_deleted_or_read_elsewhere_is_closed(
    clients: WebClients, context: BrowserContext
) -> None:
    one, two = new_user(), new_user()
    rooms = [await clients.group(title, one, two) for title in ("Deleted", "Read", "Opened")]
    chat = await clients.listening_chat(one, context)
    for room in rooms:
        await clients.post(two, room, f"in {room}")
    await shows(chat, *(f"in {room}" for room in rooms))
    reader, writer = await clients.api_user(one), await clients.api_user(two)
    history = (await writer.get(f"/conversations/{rooms[0]}/messages")).body["items"]
    await writer.call("DELETE", f"/messages/{history[0]['id']}")
    await shows(chat, f"in {rooms[1]}", f"in {rooms[2]}")
    await reader.call("PUT", f"/conversations/{rooms[1]}/read", body={"seq": 1})
    await shows(chat, f"in {rooms[2]}")
    await chat.page.evaluate("window.isThere = true; window.dispatchEvent(new Event('focus'))")
    await chat.open("Opened")
    await shows(chat)


async def test_an_edit_changes_what_is_shown_without_a_call(
    clients: WebClients, context: BrowserContext
) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Edit", one, two)
    chat = await clients.listening_chat(one, context)
    [sent] = await clients.post(two, room, "frist")
    await shows(chat, "frist")
    writer = await clients.api_user(two)
    await writer.call("PUT", f"/messages/{sent['id']}", body={"content": "first"})
    await shows(chat, "first")
    assert await chat.page.evaluate("shown.map(each => each.renotify)") == [True, False]


async def test_several_tabs_give_one_and_a_burst_gives_few(
    clients: WebClients, context: BrowserContext
) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Tabs", one, two)
    tabs = [await clients.listening_chat(one, context)]
    tabs += [await clients.chat(one, context) for _ in range(2)]
    await clients.post(two, room, *(f"message {n}" for n in range(20)))
    await shows(tabs[0], "message 19")
    for tab in tabs[1:]:
        await expect(tab.page.get_by_role("button", name="Tabs")).to_contain_text("message 19")
    counts = [await tab.page.evaluate("shown.length") for tab in tabs]
    assert counts[1:] == [0, 0]
    assert counts[0] < 20


@pytest.mark.parametrize("permission", ["granted", "default"])
async def test_where_no_page_can_make_one_the_settings_say_so(clients: WebClients, permission: str) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Refused", one, two)
    context = await clients.context()
    await context.add_init_script(
        f"""window.asked = 0; document.hasFocus = () => false;
            window.Notification = class {{
              static permission = '{permission}';
              static requestPermission = async () => {{ window.asked += 1; return 'granted' }};
              constructor() {{ throw new TypeError('Illegal constructor') }}
            }}"""
    )
    chat = await clients.listening_chat(one, context)
    await clients.post(two, room, "hello")
    await expect(chat.page.get_by_role("button", name="Refused")).to_contain_text("hello")
    await chat.page.get_by_role("button", name="Menu").click()
    dialog = chat.page.get_by_role("dialog")
    if permission == "default":
        await dialog.get_by_role("button", name="Turn on notifications").click()
    await expect(dialog).to_contain_text("This browser cannot show notifications on this page")
    await chat.save_screenshot(f"notifications-refused-{permission}")
    assert await chat.page.evaluate("asked") == 0
    await chat.page.keyboard.press("Escape")
    await chat.open("Refused")
    await chat.expect_messages("hello")


async def test_a_browser_without_any_says_so(clients: WebClients) -> None:
    context = await clients.context()
    await context.add_init_script("delete window.Notification")
    chat = await clients.chat(new_user(), context)
    await chat.page.get_by_role("button", name="Menu").click()
    dialog = chat.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("This browser cannot show notifications on this page")


async def test_permission_that_is_taken_back_is_noticed_and_breaks_nothing(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Revoked", one, two)
    context = await clients.context(permissions=["notifications"])
    await context.add_init_script("document.hasFocus = () => false")
    chat = await clients.listening_chat(one, context)
    await chat.page.get_by_role("button", name="Menu").click()
    dialog = chat.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Notifications are on")
    await context.clear_permissions()
    await expect(dialog).not_to_contain_text("Notifications are on")
    await chat.page.keyboard.press("Escape")
    await clients.post(two, room, "hello")
    await expect(chat.page.get_by_role("button", name="Revoked")).to_contain_text("hello")


async def test_a_question_that_is_never_answered_holds_nothing_up(clients: WebClients) -> None:
    one = new_user()
    await clients.group("Asked", one, new_user())
    context = await clients.context()
    await context.add_init_script(
        "Notification.requestPermission = () => new Promise(() => undefined);"
        "Object.defineProperty(Notification, 'permission', { get: () => 'default' })"
    )
    chat = await clients.chat(one, context)
    await chat.page.get_by_role("button", name="Menu").click()
    await chat.page.get_by_role("button", name="Turn on notifications").click()
    await chat.page.keyboard.press("Escape")
    await chat.open("Asked")
    await chat.send("goes on")
    await chat.expect_status("goes on", "delivered")
