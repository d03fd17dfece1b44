"""Korean in text fields: Enter or a click ends an open syllable, and the text is taken whole and once."""

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import CDPSession, expect

from tests.browser.client import Chat, WebClients, new_user
from tests.browser.test_client_looks import NARROW

PROCESS = 229
ENTER = 13
HOLD_TIMERS = """() => {
  const real = window.setTimeout, held = [];
  window.setTimeout = (act, ms, ...rest) => ms ? real(act, ms, ...rest) : held.push(act);
  window.releaseTimers = () => { window.setTimeout = real; held.forEach((act) => act()); };
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def chat(clients: WebClients) -> Chat:
    one = new_user()
    await clients.group("한국어", one, new_user())
    chat = await clients.chat(one)
    await chat.open("한국어")
    return chat


async def compose(input_: CDPSession, *steps: str) -> None:
    for text in steps:
        await input_.send(
            "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
        )


async def key(input_: CDPSession, kind: str, code: int, name: str = "Enter") -> None:
    event: dict[str, Any] = {"type": kind, "key": name, "code": "Enter", "windowsVirtualKeyCode": code}
    if kind == "keyDown":
        event["text"] = "\r"
    await input_.send("Input.dispatchKeyEvent", event)


@pytest.mark.parametrize("name", ["Enter", "Process"])
@pytest.mark.parametrize("is_told_again", [False, True])
async def test_one_press_sends_once_and_whole(chat: Chat, name: str, is_told_again: bool) -> None:
    await chat.text_box.focus()
    input_ = await chat.page.context.new_cdp_session(chat.page)
    await compose(input_, "ㅎ", "하", "한")
    await input_.send("Input.insertText", {"text": "한"})
    await compose(input_, "ㄱ", "그", "글")
    # The key press as a page gets it during composition, then the input method's reaction.
    await key(input_, "rawKeyDown", PROCESS, name)
    await input_.send("Input.insertText", {"text": "글"})
    if is_told_again:
        await key(input_, "keyDown", ENTER)
    await key(input_, "keyUp", ENTER)
    await chat.expect_messages("한글")
    await chat.expect_status("한글", "delivered")
    await expect(chat.text_box).to_have_value("")
    await chat.send("다음")
    await chat.expect_messages("한글", "다음")


async def test_a_press_while_the_page_is_busy_sends_once_and_whole(chat: Chat) -> None:
    await chat.text_box.focus()
    input_ = await chat.page.context.new_cdp_session(chat.page)
    # As if everything up to the press came before the page's timers ran.
    await chat.page.evaluate(HOLD_TIMERS)
    await compose(input_, "ㅎ", "하", "한")
    await input_.send("Input.insertText", {"text": "한"})
    await compose(input_, "ㄱ", "그", "글")
    await key(input_, "rawKeyDown", PROCESS)
    await chat.page.evaluate("releaseTimers()")
    await input_.send("Input.insertText", {"text": "글"})
    await key(input_, "keyUp", ENTER)
    await chat.expect_messages("한글")
    await expect(chat.text_box).to_have_value("")


async def test_a_press_that_chooses_a_candidate_of_another_script_sends_nothing(chat: Chat) -> None:
    await chat.text_box.focus()
    input_ = await chat.page.context.new_cdp_session(chat.page)
    await compose(input_, "に", "にほ", "にほん", "日本")
    await key(input_, "rawKeyDown", PROCESS)
    await input_.send("Input.insertText", {"text": "日本"})
    await key(input_, "keyUp", ENTER)
    await expect(chat.text_box).to_have_value("日本")
    await chat.text_box.press("Enter")
    await chat.expect_messages("日本")


async def test_shift_and_enter_break_the_line_between_syllables(chat: Chat) -> None:
    await chat.text_box.focus()
    input_ = await chat.page.context.new_cdp_session(chat.page)
    await compose(input_, "가")
    await input_.send("Input.insertText", {"text": "가"})
    await chat.text_box.press("Shift+Enter")
    await compose(input_, "나")
    await input_.send("Input.insertText", {"text": "나"})
    await chat.text_box.press("Enter")
    await chat.expect_messages("가\n나")


async def test_a_click_on_send_takes_the_open_syllable_whole_and_leaves_nothing(chat: Chat) -> None:
    await chat.text_box.focus()
    input_ = await chat.page.context.new_cdp_session(chat.page)
    for text, is_handed_in_again in (("한글", True), ("다시", False)):
        await compose(input_, text[0])
        await input_.send("Input.insertText", {"text": text[0]})
        await compose(input_, text[1])
        await chat.page.get_by_role("button", name="Send").click()
        # What an input method does that still holds the syllable.
        if is_handed_in_again:
            await input_.send("Input.insertText", {"text": text[1]})
        await chat.expect_status(text, "delivered")
        await expect(chat.text_box).to_have_value("")
    await expect(chat.text_box).to_be_focused()
    await chat.send("글")
    await chat.expect_messages("한글", "다시", "글")


async def test_a_tap_on_send_takes_the_open_syllable_too(clients: WebClients) -> None:
    one = new_user()
    await clients.group("탭", one, new_user())
    chat = await clients.chat(one, has_touch=True, is_mobile=True, viewport=NARROW)
    await chat.open("탭")
    await chat.text_box.tap()
    input_ = await chat.page.context.new_cdp_session(chat.page)
    await compose(input_, "ㄱ", "그", "글")
    await chat.page.get_by_role("button", name="Send").tap()
    await input_.send("Input.insertText", {"text": "글"})
    await chat.expect_status("글", "delivered")
    await expect(chat.text_box).to_have_value("")
    await expect(chat.text_box).to_be_focused()


async def test_what_is_composed_after_a_click_is_the_next_message(chat: Chat) -> None:
    await chat.text_box.focus()
    input_ = await chat.page.context.new_cdp_session(chat.page)
    await compose(input_, "가")
    await chat.page.get_by_role("button", name="Send").click()
    await compose(input_, "ㄱ", "가")
    await input_.send("Input.insertText", {"text": "가"})
    await expect(chat.text_box).to_have_value("가")
    await chat.expect_messages("가")


async def test_escape_takes_back_the_syllable_alone(chat: Chat) -> None:
    await chat.send("처음")
    await chat.expect_status("처음", "delivered")
    await chat.choose_action("처음", "Reply")
    await expect(chat.page.locator(".composer-target")).to_be_visible()
    input_ = await chat.page.context.new_cdp_session(chat.page)
    await compose(input_, "ㄱ")
    await key(input_, "rawKeyDown", PROCESS, "Escape")
    await compose(input_, "")
    await expect(chat.page.locator(".composer-target")).to_be_visible()
    await chat.text_box.press("Escape")
    await expect(chat.page.locator(".composer-target")).to_have_count(0)
    await chat.open_dialog("Details")
    await chat.page.get_by_label("Title").focus()
    await compose(input_, "ㄱ")
    await key(input_, "rawKeyDown", PROCESS, "Escape")
    await compose(input_, "")
    await expect(chat.page.get_by_role("dialog")).to_be_visible()
    # The dialog's library takes a composition for ended one turn after the browser does.
    await chat.page.evaluate("() => new Promise((resolve) => setTimeout(resolve))")
    await chat.page.keyboard.press("Escape")
    await expect(chat.page.get_by_role("dialog")).to_have_count(0)


async def test_enter_in_a_field_of_one_line_takes_the_open_syllable(chat: Chat) -> None:
    page = chat.page
    input_ = await page.context.new_cdp_session(page)
    await chat.open_dialog("Details")
    await page.get_by_label("Title").fill("한")
    await compose(input_, "글")
    await key(input_, "rawKeyDown", PROCESS)
    await input_.send("Input.insertText", {"text": "글"})
    await expect(page.get_by_role("dialog").get_by_role("heading", name="한글")).to_be_visible()
    await page.keyboard.press("Escape")
    # The dialog gives the focus back when it has closed.
    await expect(page.get_by_role("button", name="Details")).to_be_focused()
    await page.get_by_role("combobox", name="Search").focus()
    await compose(input_, "한")
    await expect(page.get_by_role("option", name="한글")).to_be_visible()
    await key(input_, "rawKeyDown", PROCESS)
    await input_.send("Input.insertText", {"text": "한"})
    # Enter opens the conversation that was found, and the search is over.
    await expect(page.get_by_role("combobox", name="Search")).to_have_value("")
    await expect(chat.text_box).to_have_value("")
    await expect(page.get_by_role("navigation").get_by_role("button", name="한글")).to_be_visible()


async def test_a_new_conversation_has_its_whole_title_however_it_is_made(chat: Chat) -> None:
    page = chat.page
    input_ = await page.context.new_cdp_session(page)
    for title, way in (("회의", "Enter"), ("모임", "click")):
        await chat.open_dialog("New conversation")
        await page.get_by_role("radio", name="Group").check()
        await page.get_by_label("Participants").fill(str(new_user()))
        await page.get_by_label("Title").fill(title[0])
        await compose(input_, title[1])
        if way == "Enter":
            await key(input_, "rawKeyDown", PROCESS)
            await input_.send("Input.insertText", {"text": title[1]})
        else:
            await page.get_by_role("button", name="Create").click()
        await expect(page.get_by_role("heading", name=title)).to_be_visible()
        await expect(page.get_by_role("navigation").get_by_role("button", name=title)).to_have_count(1)


async def test_a_press_that_is_told_after_its_composition_sends_once(chat: Chat) -> None:
    """Safari's order: the composition ends, then the event of the key that ended it follows."""
    await chat.text_box.focus()
    await chat.page.evaluate(
        """() => {
          const box = document.activeElement, tell = (type, what, data) =>
            box.dispatchEvent(new what(type, { bubbles: true, cancelable: true, ...data }));
          tell('compositionstart', CompositionEvent, { data: '' });
          tell('compositionupdate', CompositionEvent, { data: '글' });
          document.execCommand('insertText', false, '글');
          tell('compositionend', CompositionEvent, { data: '글' });
          tell('keydown', KeyboardEvent, { key: 'Enter', code: 'Enter', keyCode: 229 });
        }"""
    )
    await chat.expect_status("글", "delivered")
    await expect(chat.text_box).to_have_value("")
    await chat.expect_messages("글")


async def test_going_elsewhere_keeps_the_open_syllable_in_its_draft(chat: Chat, clients: WebClients) -> None:
    await clients.group("다른 곳", chat.user, new_user())
    await chat.text_box.focus()
    input_ = await chat.page.context.new_cdp_session(chat.page)
    await compose(input_, "한")
    await input_.send("Input.insertText", {"text": "한"})
    await compose(input_, "글")
    await chat.open("다른 곳")
    await expect(chat.text_box).to_have_value("")
    await chat.open("한국어")
    await expect(chat.text_box).to_have_value("한글")


async def test_a_lost_connection_and_a_message_leave_the_open_syllable_alone(
    chat: Chat, clients: WebClients
) -> None:
    await chat.text_box.focus()
    input_ = await chat.page.context.new_cdp_session(chat.page)
    await compose(input_, "ㄱ", "그")
    await chat.page.context.set_offline(True)
    await chat.expect_banner("You are offline.")
    await compose(input_, "글")
    await chat.page.context.set_offline(False)
    await chat.expect_connected()
    await expect(chat.text_box).to_have_value("글")
    await key(input_, "rawKeyDown", PROCESS)
    await input_.send("Input.insertText", {"text": "글"})
    await chat.expect_messages("글")
    await expect(chat.text_box).to_have_value("")


async def test_a_draft_from_another_tab_does_not_break_into_a_syllable(
    chat: Chat, clients: WebClients
) -> None:
    other = await clients.chat(chat.user, chat.page.context)
    await other.open("한국어")
    await chat.page.bring_to_front()
    await chat.text_box.focus()
    input_ = await chat.page.context.new_cdp_session(chat.page)
    await compose(input_, "ㄱ", "그")
    await other.text_box.fill("elsewhere")
    await expect(chat.page.get_by_role("button", name="한국어")).to_be_visible()
    await compose(input_, "글")
    await input_.send("Input.insertText", {"text": "글"})
    await expect(chat.text_box).to_have_value("글")
