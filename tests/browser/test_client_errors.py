"""The web client when a part of it throws: never a blank page, always a way back, and the draft is kept."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.client import Chat, WebClients, new_user
from tests.browser.test_client_looks import NARROW, WIDE, assert_accessible, assert_fits

# Functions that the client needs while it renders, each in another part.
DATES = "Intl.DateTimeFormat.prototype, 'format'"
SAID = "URL, 'canParse'"
COMPOSER = "window, 'matchMedia'"
THREAD = "Array.prototype, 'find'"
MEMBERS = "this[0]?.role"
# From then on a matching call throws, until the page is repaired.
BREAK = """() => {{
  const [owner, name] = [{what}];
  const kept = Object.getOwnPropertyDescriptor(owner, name) ?? {{ value: owner[name] }};
  const whole = 'value' in kept ? kept.value : null;
  const broken = function (...given) {{
    if ({on}) throw new Error('broken by the test');
    return Reflect.apply(whole, this, given);
  }};
  Object.defineProperty(owner, name, {{ configurable: true, get: () => broken }});
  window.mendIt = () => void Object.defineProperty(owner, name, {{ configurable: true, ...kept }});
}}"""


async def break_code(page: Page, what: str, on: str = "true") -> None:
    await page.evaluate(BREAK.format(what=what, on=on))


async def mend(page: Page) -> None:
    await page.evaluate("mendIt()")


async def test_a_list_that_can_not_be_drawn_says_so_and_comes_back(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Broken", one, two)
    await clients.post(two, room, "hello")
    chat = await clients.chat(one, viewport=WIDE)
    await chat.open("Broken")
    await chat.text_box.fill("half a thought")
    await break_code(chat.page, DATES)
    await clients.post(two, room, "breaks it")
    list_ = chat.page.get_by_role("navigation").get_by_role("alert")
    await expect(list_).to_contain_text("Something went wrong here")
    await expect(chat.page.get_by_text("This message cannot be shown.").first).to_be_visible()
    await expect(chat.text_box).to_have_value("half a thought")
    await assert_accessible(chat.page)
    await chat.save_screenshot("broken-list")
    await chat.send("sent all the same")
    await mend(chat.page)
    await list_.get_by_role("button", name="Try again").click()
    await expect(chat.page.get_by_role("button", name="Broken")).to_contain_text("sent all the same")
    # In one step: a message that changes, as when it is delivered, is drawn again by itself.
    again = ".message-error button"
    await chat.page.evaluate(f"document.querySelectorAll('{again}').forEach(each => each.click())")
    await chat.expect_messages("hello", "breaks it", "sent all the same")


async def test_one_message_that_can_not_be_drawn_leaves_the_others(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("One", one, two)
    chat = await clients.chat(one)
    await chat.open("One")
    await break_code(chat.page, SAID)
    await clients.post(two, room, "before", "see https://example.org/a", "after")
    await chat.expect_messages("before", "after")
    await expect(chat.page.get_by_text("This message cannot be shown.")).to_be_visible()
    await mend(chat.page)
    await chat.messages.get_by_role("button", name="Try again").click()
    await chat.expect_messages("before", "see https://example.org/a", "after")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_thread_that_can_not_be_drawn_leads_back_on_a_narrow_screen(
    clients: WebClients, scheme: str
) -> None:
    one = new_user()
    await clients.group("Narrow", one, new_user())
    options = {"color_scheme": scheme, "viewport": NARROW, "locale": "ko-KR"}
    chat = await clients.chat(one, **options)
    await break_code(chat.page, THREAD)
    await chat.page.get_by_role("button", name="Narrow").click()
    alert = chat.page.get_by_role("alert")
    await expect(alert).to_contain_text("문제가 생겼습니다")
    await mend(chat.page)
    await assert_accessible(chat.page)
    await assert_fits(chat.page, NARROW)
    await chat.save_screenshot(f"broken-thread-{scheme}")
    await alert.get_by_role("button", name="대화 목록으로").click()
    await chat.page.get_by_role("button", name="Narrow").click()
    await expect(chat.page.get_by_role("textbox", name="메시지", exact=True)).to_be_visible()


async def test_a_composer_that_can_not_be_drawn_gives_the_draft_back(clients: WebClients) -> None:
    one = new_user()
    await clients.group("Draft", one, new_user())
    chat = await clients.chat(one)
    await chat.open("Draft")
    await chat.text_box.fill("half a thought")
    await chat.page.evaluate("history.back()")
    await break_code(chat.page, COMPOSER)
    await chat.page.get_by_role("button", name="Draft").click()
    await expect(chat.page.get_by_role("alert")).to_contain_text("What you wrote is kept")
    await mend(chat.page)
    await chat.page.get_by_role("alert").get_by_role("button", name="Try again").click()
    await expect(chat.text_box).to_have_value("half a thought")


async def test_a_page_of_which_nothing_can_be_drawn_is_not_blank(clients: WebClients) -> None:
    context = await clients.context()
    # Every text needs it, and the choice of a language needs it first.
    await context.add_init_script(
        "Object.defineProperty(navigator, 'languages', { get() { throw new Error('none') } })"
    )
    page = await clients.page(context)
    await page.goto(f"{clients.url}/?user_id={new_user()}")
    await expect(page.get_by_role("alert")).to_contain_text("Something went wrong here")
    await expect(page.get_by_role("alert")).to_contain_text("문제가 생겼습니다")
    await assert_accessible(page)
    await Chat(page, 0).save_screenshot("broken-page")
    await page.get_by_role("button", name="Reload the page").click()
    await expect(page.get_by_role("alert")).to_be_visible()


async def test_a_dialog_that_can_not_be_drawn_closes_and_comes_again(clients: WebClients) -> None:
    one = new_user()
    await clients.group("Dialog", one, new_user())
    chat = await clients.chat(one)
    await chat.open("Dialog")
    page = chat.page
    # It is loaded before, so that only its rendering fails.
    await page.get_by_role("button", name="Details").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Members")
    await page.keyboard.press("Escape")
    await break_code(page, "Array.prototype, 'map'", MEMBERS)
    await page.get_by_role("button", name="Details").click()
    dialog = page.get_by_role("dialog")
    await mend(page)
    await expect(dialog).to_contain_text("This could not be shown.")
    await dialog.get_by_role("button", name="Try again").click()
    await expect(dialog).to_contain_text("Members")


async def test_an_error_outside_of_drawing_is_told_and_the_page_works_on(clients: WebClients) -> None:
    one = new_user()
    room = await clients.group("Faults", one, new_user())
    await clients.post(one, room, "hello")
    chat = await clients.chat(one, viewport=NARROW)
    await chat.open("Faults")
    page = chat.page
    for what in (
        "setTimeout(() => { throw new Error('nobody catches it') })",
        "void Promise.reject(new Error('nobody waits'))",
    ):
        await page.evaluate(f"() => {{ {what} }}")
        await expect(page.get_by_role("alert")).to_contain_text("Something did not work.")
        await assert_accessible(page)
        await assert_fits(page, NARROW)
        await chat.save_screenshot("fault")
        await page.get_by_role("alert").get_by_role("button", name="Close").click()
        await expect(page.get_by_role("alert")).to_have_count(0)
    assert clients.errors == ["nobody catches it", "nobody waits"]
    clients.errors.clear()
    await chat.send("works on")
    await chat.expect_status("works on", "delivered")


async def test_what_is_no_error_of_the_client_is_not_told(clients: WebClients) -> None:
    chat = await clients.chat(new_user())
    page = chat.page
    await page.evaluate(
        """() => {
          const tell = (options) => dispatchEvent(new ErrorEvent('error', options));
          tell({ message: 'ResizeObserver loop completed with undelivered notifications.' });
          const error = new Error('x'), filename = 'chrome-extension://abc/content.js';
          tell({ message: 'Uncaught Error: x', filename, error });
          tell({ message: 'Script error.' });
          void Promise.reject(new DOMException('stopped', 'AbortError'));
        }"""
    )
    await page.evaluate("new Promise(done => setTimeout(done))")
    await expect(page.get_by_role("alert")).to_have_count(0)
    clients.errors.clear()
