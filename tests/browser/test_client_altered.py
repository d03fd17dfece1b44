"""The web client when others alter its page: translators replace all text, extensions wrap and remove
elements.
"""

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.client import Chat, WebClients, new_user

# As browsers translate: every text node is removed, and its words come back inside two marked elements.
TRANSLATE = """(isLasting) => {
  const skipped = 'script, style, textarea, font';
  const isText = (node) => !node.parentElement?.closest(skipped);
  const translate = (node) => {
    const outer = document.createElement('font'), inner = document.createElement('font');
    inner.textContent = node.data.trim() ? '«' + node.data + '»' : node.data;
    outer.append(inner);
    node.replaceWith(outer);
  };
  const all = () => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
    while (texts.nextNode()) found.push(texts.currentNode);
    found.filter(isText).forEach(translate);
  };
  all();
  if (isLasting) new MutationObserver(all).observe(document.body, { childList: true, subtree: true });
}"""
# React tracks a text node only if it has siblings. A translator breaks such a node.
BARE = """() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (texts.nextNode()) {
    const { currentNode: node } = texts;
    if (Object.keys(node).some(key => key.startsWith('__reactFiber')))
      found.push(node.parentElement.outerHTML.slice(0, 120));
  }
  return found;
}"""
WRAP = """(selector) => document.querySelectorAll(selector).forEach(element => {
  const wrapper = document.createElement('x-extension');
  element.replaceWith(wrapper);
  wrapper.append(element);
})"""


@pytest_asyncio.fixture(loop_scope="session")
async def pair(clients: WebClients) -> tuple[Chat, Chat, str]:
    """Returns two users in one conversation, and its id."""
    one, two = new_user(), new_user()
    room = await clients.group("Altered", one, two)
    await clients.post(two, room, "first", "see https://example.org/a and more", "last")
    chats = await clients.chat(one), await clients.chat(two)
    for chat in chats:
        await chat.open("Altered")
        await expect(chat.message("last")).to_be_visible()
    return *chats, room


@pytest.mark.parametrize("is_lasting", [False, True])
async def test_a_translated_page_shows_what_comes_what_changes_and_what_goes(
    pair: tuple[Chat, Chat, str], clients: WebClients, is_lasting: bool
) -> None:
    reader, writer, room = pair
    page = reader.page
    await page.evaluate(TRANSLATE, is_lasting)
    await expect(reader.message("«last»")).to_be_visible()
    await writer.send("comes")
    await expect(reader.message("comes")).to_be_visible()
    await writer.expect_stored("comes")
    await writer.text_box.press("ArrowUp")
    await writer.send("comes https://example.org/b changed")
    await expect(reader.message("changed")).to_be_visible()
    await expect(reader.message("edited")).to_have_count(1)
    await writer.choose_action("first", "Delete")
    await writer.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(reader.message("This message was deleted")).to_be_visible()
    await expect(reader.page.get_by_text("first")).to_have_count(0)
    await writer.text_box.press_sequentially("x")
    await expect(page.get_by_test_id("typing")).to_contain_text("is typing")
    await writer.text_box.press("Backspace")
    await expect(page.get_by_test_id("typing")).to_have_text("")
    await reader.send("answered")
    await expect(reader.message("answered")).to_be_visible()
    if is_lasting:
        await expect(reader.message("answered")).to_contain_text("«answered»")
    assert await clients.stored_texts(writer.user, room)


async def test_counters_and_lists_of_a_translated_page_go_on(
    pair: tuple[Chat, Chat, str], clients: WebClients
) -> None:
    reader, writer, _ = pair
    other = await clients.group("Counted", reader.user, writer.user)
    row = reader.page.get_by_role("button", name="Counted")
    await clients.post(writer.user, other, "one")
    await expect(row).to_contain_text("1 unread message")
    await reader.page.evaluate(TRANSLATE, False)
    await clients.post(writer.user, other, "two", "three")
    await expect(row).to_contain_text("3 unread messages")
    await expect(row).to_contain_text("three")
    api_user = await clients.api_user(reader.user)
    await api_user.call("PATCH", f"/conversations/{other}", body={"title": "Renamed"})
    await expect(reader.page.get_by_role("button", name="Renamed")).to_be_visible()
    await expect(reader.page.get_by_role("button", name="Counted")).to_have_count(0)
    await reader.page.get_by_role("button", name="Renamed").click()
    await reader.expect_messages("one", "two", "three")
    await expect(reader.page.get_by_role("button", name="Renamed")).not_to_contain_text("unread")


async def test_dialogs_of_a_translated_page_open_change_and_close(pair: tuple[Chat, Chat, str]) -> None:
    reader, *_ = pair
    page = reader.page
    await page.evaluate(TRANSLATE, True)
    await page.get_by_role("button", name="Details").click()
    await expect(page.get_by_role("dialog")).to_contain_text("«Members»")
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.get_by_role("button", name="Menu").click()
    await page.get_by_role("radio", name="한국어").check()
    await expect(page.get_by_role("dialog")).to_contain_text("언어")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("textbox", name="메시지", exact=True)).to_be_visible()


async def test_no_text_stands_where_a_translator_would_take_it_from_react(
    pair: tuple[Chat, Chat, str], clients: WebClients
) -> None:
    """Covers every view, so that a new text with siblings is found here."""
    reader, writer, room = pair
    page = reader.page
    # The search finds React's nodes by this mark.
    marks = "Object.keys(document.querySelector('textarea')).some(key => key.startsWith('__reactFiber'))"
    assert await page.evaluate(marks)
    bare = await bare_in_choice(clients)
    await fill(reader, writer, room, clients)
    bare += await page.evaluate(BARE)
    await reader.send("a reply")
    await expect(reader.message("a reply")).to_contain_text("mine")
    bare += await bare_in_dialogs(reader)
    await page.context.set_offline(True)
    await reader.expect_banner("You are offline.")
    await reader.text_box.fill("a draft")
    await page.get_by_role("combobox", name="Search").fill("nothing like it")
    bare += await page.evaluate(BARE)
    assert bare == []


async def bare_in_choice(clients: WebClients) -> list[str]:
    page = await clients.page(await clients.context())
    await page.goto(clients.url)
    await expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    found: list[str] = await page.evaluate(BARE)
    return found


async def fill(reader: Chat, writer: Chat, room: str, clients: WebClients) -> None:
    """Brings in what may be shown: a deleted message, a reply in progress, a user who types."""
    await reader.send("mine")
    await expect(reader.message("mine")).to_be_visible()
    api_user = await clients.api_user(writer.user)
    [sent] = await clients.post(writer.user, room, "goes")
    await api_user.call("DELETE", f"/messages/{sent['id']}")
    await expect(reader.message("This message was deleted")).to_be_visible()
    await reader.choose_action("mine", "Reply")
    await writer.text_box.press_sequentially("typing")
    await expect(reader.page.get_by_test_id("typing")).to_contain_text("is typing")


async def bare_in_dialogs(chat: Chat) -> list[str]:
    page = chat.page
    await chat.message("a reply").click(button="right")
    found: list[str] = await page.evaluate(BARE)
    await page.get_by_role("menuitem", name="Who has read it").click()
    for name in ("Details", "New conversation", "Menu", None):
        await expect(page.get_by_role("dialog")).to_be_visible()
        found += await page.evaluate(BARE)
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        if name is not None:
            await page.get_by_role("button", name=name).first.click()
    return found


@pytest.mark.parametrize(
    "selector", ["textarea", ".message", ".bubble", ".item", ".list-row", ".typing-line"]
)
async def test_elements_that_an_extension_wraps_come_and_go_all_the_same(
    pair: tuple[Chat, Chat, str], selector: str
) -> None:
    reader, writer, _ = pair
    await reader.page.evaluate(WRAP, selector)
    await writer.send("comes")
    await expect(reader.message("comes")).to_be_visible()
    await writer.choose_action("comes", "Delete")
    await writer.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(reader.message("This message was deleted")).to_be_visible()
    await reader.send("goes on")
    await expect(reader.message("goes on")).to_be_visible()
    await reader.page.evaluate("history.back()")
    await expect(reader.page.get_by_role("heading", name="Choose a conversation")).to_be_visible()
    await expect(reader.text_box).to_have_count(0)
    await reader.open("Altered")
    await expect(reader.message("goes on")).to_be_visible()


async def test_elements_that_an_extension_removes_are_missed_by_nobody(pair: tuple[Chat, Chat, str]) -> None:
    reader, writer, _ = pair
    remove = "selector => document.querySelectorAll(selector).forEach(element => element.remove())"
    await reader.page.evaluate(remove, ".message, .typing-line, .thread-head h2, .banner")
    await writer.send("comes")
    await expect(reader.message("comes")).to_be_visible()
    await reader.page.evaluate("history.back()")
    await reader.open("Altered")
    await expect(reader.message("last")).to_be_visible()
    await expect(reader.message("comes")).to_be_visible()
