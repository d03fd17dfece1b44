"""The web client in Chromium when its storage fails, is refused, is full or is wiped."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.client import Chat, WebClients, new_user, wait_for_expression

# As on a phone after the page was in the background: the object exists, and every use of it throws.
CONNECTIONS_CAN_DIE = """
    const dead = new WeakSet(), all = [];
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...asked) {
      if (dead.has(this)) throw new DOMException('The connection is closing.', 'InvalidStateError');
      all.push(this);
      return transaction.apply(this, asked);
    };
    window.killConnections = () => all.forEach((each) => dead.add(each));
"""
NOTHING_IS_KEPT = {
    "dies at each use": """IDBDatabase.prototype.transaction = () => {
        throw new DOMException('The connection is closing.', 'InvalidStateError') }""",
    "is full": """IDBObjectStore.prototype.put = () => {
        throw new DOMException('The quota has been exceeded.', 'QuotaExceededError') }""",
    "is refused": """IDBFactory.prototype.open = () => {
        throw new DOMException('The user denied permission.', 'SecurityError') }""",
    "never answers": """const { open } = IDBFactory.prototype;
        IDBFactory.prototype.open = () => open.call(indexedDB, 'another ' + Math.random(), 1);
        IDBOpenDBRequest.prototype.addEventListener = () => undefined""",
    "is not there": "Object.defineProperty(window, 'indexedDB', { value: undefined })",
}


async def test_a_connection_that_died_is_opened_again_and_the_message_is_kept(clients: WebClients) -> None:
    one = new_user()
    room = await clients.group("Dead", one, new_user())
    context = await clients.context()
    await context.add_init_script(CONNECTIONS_CAN_DIE)
    chat = await clients.chat(one, context)
    await chat.open("Dead")
    await chat.send("before")
    await chat.expect_status("before", "delivered")
    await context.set_offline(True)
    await chat.expect_banner("You are offline.")
    await chat.page.evaluate("window.killConnections()")
    await chat.send("kept all the same")
    await chat.expect_banner("1 message waits and will be sent.")
    await nothing_is_a_draft(chat.page)
    await chat.page.close()
    await context.set_offline(False)
    again = await clients.chat(one, context)
    await again.open("Dead")
    await again.expect_status("kept all the same", "delivered")
    assert await clients.stored_texts(one, room) == ["before", "kept all the same"]


@pytest.mark.parametrize("how", NOTHING_IS_KEPT)
async def test_what_can_not_be_kept_is_said_and_stays_a_draft(clients: WebClients, how: str) -> None:
    one = new_user()
    room = await clients.group("Unkept", one, new_user())
    context = await clients.context()
    page = await clients.page(context)
    await page.add_init_script(NOTHING_IS_KEPT[how])
    chat = await connected(page, clients, one)
    await chat.open("Unkept")
    await context.set_offline(True)
    await chat.expect_banner("You are offline.")
    await chat.send("first")
    await chat.send("second")
    await chat.expect_banner("2 messages wait, but this browser cannot save them.")
    await expect(page.locator(".banner")).not_to_contain_text("will be sent")
    await chat.save_screenshot("unkept")
    await page.close()
    await context.set_offline(False)
    again = await clients.chat(one, context)
    await again.open("Unkept")
    await expect(again.text_box).to_have_value("first\nsecond")
    assert await clients.stored_texts(one, room) == []


async def test_what_can_not_be_kept_is_sent_all_the_same_and_is_no_draft_then(clients: WebClients) -> None:
    one = new_user()
    room = await clients.group("Sent", one, new_user())
    context = await clients.context(locale="ko-KR")
    page = await clients.page(context)
    await page.add_init_script(NOTHING_IS_KEPT["dies at each use"])
    chat = await connected(page, clients, one)
    await page.get_by_role("button", name="Sent").first.click()
    box = page.get_by_role("textbox", name="메시지", exact=True)
    await context.set_offline(True)
    await chat.expect_banner("오프라인 상태입니다.")
    await box.fill("한글")
    await box.press("Enter")
    await chat.expect_banner("이 브라우저에 저장할 수 없습니다")
    await context.set_offline(False)
    await chat.expect_status("한글", "delivered")
    await nothing_is_a_draft(page)
    assert await clients.stored_texts(one, room) == ["한글"]


async def test_storage_that_is_wiped_while_open_gets_the_message_again(clients: WebClients) -> None:
    one = new_user()
    room = await clients.group("Wiped", one, new_user())
    context = await clients.context()
    chat = await clients.chat(one, context)
    await chat.open("Wiped")
    await context.set_offline(True)
    await chat.expect_banner("You are offline.")
    await chat.send("wiped")
    await nothing_is_a_draft(chat.page)
    session = await context.new_cdp_session(chat.page)
    await session.send(
        "Storage.clearDataForOrigin", {"origin": clients.url, "storageTypes": "indexeddb,local_storage"}
    )
    await chat.send("after that")
    await nothing_is_a_draft(chat.page)
    await chat.page.close()
    await context.set_offline(False)
    again = await clients.chat(one, context)
    await again.open("Wiped")
    await again.expect_status("after that", "delivered")
    assert await clients.stored_texts(one, room) == ["wiped", "after that"]


async def test_a_text_that_the_gateway_would_refuse_is_mended_and_holds_up_nobody(
    clients: WebClients,
) -> None:
    one = new_user()
    room = await clients.group("Mended", one, new_user())
    chat = await clients.chat(one)
    await chat.open("Mended")
    await chat.text_box.focus()
    await chat.page.evaluate(r"document.execCommand('insertText', false, 'a\ud83db')")
    await chat.text_box.press("Enter")
    await chat.send("next")
    await chat.expect_status("next", "delivered")
    await chat.expect_messages("a\ufffdb", "next")
    assert await clients.stored_texts(one, room) == ["a\ufffdb", "next"]


async def connected(page: Page, clients: WebClients, user: int) -> Chat:
    await page.goto(f"{clients.url}/?user_id={user}")
    chat = Chat(page, user)
    await chat.expect_connected()
    return chat


async def nothing_is_a_draft(page: Page) -> None:
    """Returns when every sent text is queued or sent."""
    await wait_for_expression(page, "Object.keys(localStorage).every(key => !key.includes('draft'))")
