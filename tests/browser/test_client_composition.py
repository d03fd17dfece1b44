"""Korean in the composer: while a syllable is composed, one press of Enter ends it and sends, once."""

from typing import Any

import pytest
from playwright.async_api import CDPSession, expect

from tests.browser.client import Chat, Office, new_user

PROCESS = 229
ENTER = 13
HOLD_TIMERS = """() => {
  const real = window.setTimeout, held = [];
  window.setTimeout = (act, ms, ...rest) => ms ? real(act, ms, ...rest) : held.push(act);
  window.releaseTimers = () => { window.setTimeout = real; held.forEach((act) => act()); };
}"""


@pytest.fixture
async def chat(office: Office) -> Chat:
    one = new_user()
    await office.group("한국어", one, new_user())
    chat = await office.chat(one)
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
    await chat.box.focus()
    input_ = await chat.page.context.new_cdp_session(chat.page)
    await compose(input_, "ㅎ", "하", "한")
    await input_.send("Input.insertText", {"text": "한"})
    await compose(input_, "ㄱ", "그", "글")
    # The press as it reaches a page while text is composed, then what the input method does with it.
    await key(input_, "rawKeyDown", PROCESS, name)
    await input_.send("Input.insertText", {"text": "글"})
    if is_told_again:
        await key(input_, "keyDown", ENTER)
    await key(input_, "keyUp", ENTER)
    await chat.sees("한글")
    await chat.has_status("한글", "delivered")
    await expect(chat.box).to_have_value("")
    await chat.say("다음")
    await chat.sees("한글", "다음")


async def test_a_press_while_the_page_is_busy_sends_once_and_whole(chat: Chat) -> None:
    await chat.box.focus()
    input_ = await chat.page.context.new_cdp_session(chat.page)
    # As if everything up to the press came before the page got to its timers.
    await chat.page.evaluate(HOLD_TIMERS)
    await compose(input_, "ㅎ", "하", "한")
    await input_.send("Input.insertText", {"text": "한"})
    await compose(input_, "ㄱ", "그", "글")
    await key(input_, "rawKeyDown", PROCESS)
    await chat.page.evaluate("releaseTimers()")
    await input_.send("Input.insertText", {"text": "글"})
    await key(input_, "keyUp", ENTER)
    await chat.sees("한글")
    await expect(chat.box).to_have_value("")


async def test_a_press_that_chooses_a_candidate_of_another_script_sends_nothing(chat: Chat) -> None:
    await chat.box.focus()
    input_ = await chat.page.context.new_cdp_session(chat.page)
    await compose(input_, "に", "にほ", "にほん", "日本")
    await key(input_, "rawKeyDown", PROCESS)
    await input_.send("Input.insertText", {"text": "日本"})
    await key(input_, "keyUp", ENTER)
    await expect(chat.box).to_have_value("日本")
    await chat.box.press("Enter")
    await chat.sees("日本")


async def test_shift_and_enter_break_the_line_between_syllables(chat: Chat) -> None:
    await chat.box.focus()
    input_ = await chat.page.context.new_cdp_session(chat.page)
    await compose(input_, "가")
    await input_.send("Input.insertText", {"text": "가"})
    await chat.box.press("Shift+Enter")
    await compose(input_, "나")
    await input_.send("Input.insertText", {"text": "나"})
    await chat.box.press("Enter")
    await chat.sees("가\n나")
