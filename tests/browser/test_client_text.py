"""The web client in Chromium: text and dates, whoever wrote them and wherever they are read."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.client import Chat, WebClients, new_user, wait_for_expression

RLO = "\u202e"
CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
FAMILY = "👨\u200d👩\u200d👧\u200d👦"
SEOUL = ZoneInfo("Asia/Seoul")
# The wall clock of the machine, which a test may advance; timers go on unchanged.
CLOCK = """(() => {
  const Real = Date;
  window.ahead = 0;
  window.Date = class extends Real {
    constructor(...parts) { if (parts.length) super(...parts); else super(Real.now() + window.ahead); }
    static now() { return Real.now() + window.ahead; }
  };
})()"""

# A Turkish system does so for every text, this one only for some.
TURKISH = """(() => {
  const lower = String.prototype.toLocaleLowerCase;
  String.prototype.toLocaleLowerCase = function () { return lower.call(this, 'tr') };
})()"""


@pytest.fixture
def one() -> int:
    return new_user()


@pytest.fixture
def two() -> int:
    return new_user()


def until_midnight() -> int:
    """Returns the milliseconds until the next day begins in Seoul."""
    now = datetime.now(SEOUL)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return round((midnight - now).total_seconds() * 1000)


async def test_days_turn_at_midnight_without_traffic(clients: WebClients, one: int, two: int) -> None:
    room = await clients.group("Days", one, two)
    await clients.post(two, room, "before midnight")
    context = await clients.context(timezone_id="Asia/Seoul")
    await context.add_init_script(CLOCK)
    chat = await clients.chat(one, context)
    await chat.open("Days")
    head, when = chat.page.locator(".day"), chat.page.locator(".item-when")
    await expect(head).to_have_text("Today")
    await expect(when).to_have_text(re.compile(r"\d:\d\d"))
    await chat.page.evaluate("ms => { window.ahead = ms }", until_midnight() + 1_000)
    await expect(head).to_have_text("Yesterday")
    await expect(when).to_have_text("Yesterday")
    await chat.page.evaluate("ms => { window.ahead += ms }", 86_400_000)
    await chat.page.evaluate("window.dispatchEvent(new Event('focus'))")
    await expect(head).to_have_text(re.compile("day, "))
    await expect(when).to_have_text(re.compile("^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)$"))


async def test_times_follow_the_zone_of_who_travels(clients: WebClients, one: int, two: int) -> None:
    room = await clients.group("Zones", one, two)
    await clients.post(two, room, "somewhere")
    page = await clients.page(await clients.context())
    session = await page.context.new_cdp_session(page)
    await session.send("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Seoul"})
    await page.goto(f"{clients.url}/?user_id={one}")
    chat = Chat(page, one)
    await chat.open("Zones")
    time = chat.message("somewhere").locator("time")
    at = datetime.fromisoformat(await time.get_attribute("datetime") or "")
    for zone in ("Asia/Seoul", "Asia/Kathmandu"):
        await session.send("Emulation.setTimezoneOverride", {"timezoneId": zone})
        hour = at.astimezone(ZoneInfo(zone))
        await expect(time).to_have_text(re.compile(rf"^{hour.hour % 12 or 12}:{hour:%M}\s"))


async def test_a_link_ends_where_its_address_does(clients: WebClients, one: int, two: int) -> None:
    room = await clients.group("Links", one, two)
    text = (
        "https://example.com를 https://example.com/a를 (https://example.com/b)에서 "
        "https://user:pw@evil.example/ https://аррӏе.com/ https://ko.wikipedia.org/wiki/서울"
    )
    await clients.post(two, room, text)
    chat = await clients.chat(one)
    await chat.open("Links")
    await chat.expect_messages(text)
    links = chat.page.get_by_test_id("message-text").get_by_role("link")
    hrefs = await links.evaluate_all("all => all.map((each) => each.getAttribute('href'))")
    assert hrefs == [
        "https://example.com",
        "https://example.com/a",
        "https://example.com/b",
        "https://ko.wikipedia.org/wiki/서울",
    ]
    await expect(links).to_have_text(hrefs)


async def test_text_turns_nothing_around_it(clients: WebClients, one: int, two: int) -> None:
    title = f"Abc{RLO}fed"
    room = await clients.group(title, one, two)
    api_user = await clients.api_user(two)
    file_ = {"message_type": "file", "file_url": "https://example.org/x", "file_name": f"bill{RLO}fdp.exe"}
    await api_user.post(f"/conversations/{room}/messages", {"content": "The bill", **file_})
    await clients.post(two, room, f"{RLO}https://example.com/a/b", f"turned{RLO}")
    chat = await clients.chat(one)
    await chat.page.locator(".item").first.click()
    await chat.text_box.fill("my own")
    links = chat.page.locator(".bubble").get_by_role("link")
    await expect(links).to_have_text(["billfdp.exe", "https://example.com/a/b"])
    assert await is_ordered(links.nth(1))
    for text in await spoken(chat.page):
        assert not CONTROLS.search(text), text
    for place in (".item-title", ".thread-names h2", ".message-text"):
        assert await chat.page.locator(place).first.evaluate(
            "each => getComputedStyle(each).unicodeBidi"
        ) in (
            "isolate",
            "plaintext",
        )
    await chat.page.get_by_role("button", name="Details").click()
    heading = chat.page.get_by_role("dialog").locator(".dialog-title")
    assert await heading.evaluate("each => getComputedStyle(each).unicodeBidi") == "isolate"


async def is_ordered(link: Locator) -> bool:
    """Whether its first letter is left of its last."""
    return bool(
        await link.evaluate(
            """link => {
              const text = link.firstChild, range = document.createRange();
              const left = (at) => { range.setStart(text, at); range.setEnd(text, at + 1);
                                     return range.getBoundingClientRect().left };
              return left(0) < left(text.length - 1);
            }"""
        )
    )


async def spoken(page: Page) -> list[str]:
    """Returns all texts that are composed for screen readers, tooltips and placeholders."""
    found: list[str] = await page.evaluate(
        """() => ['aria-label', 'title', 'placeholder', 'alt'].flatMap((name) =>
             [...document.querySelectorAll(`[${name}]`)].map((each) => each.getAttribute(name)))
           .concat([document.title])
           .concat([...document.querySelectorAll('.sr-only')].map((each) => each.textContent))"""
    )
    assert any("Abcfed" in text for text in found)
    return found


async def test_cut_text_ends_with_a_whole_grapheme(clients: WebClients, one: int, two: int) -> None:
    room = await clients.group(f"{FAMILY} Kim", one, two)
    context = await clients.context(permissions=["notifications"])
    await context.add_init_script(
        """class Kept { static permission = 'granted'; constructor(title, options) {
             (window.shown ??= []).push({ title, ...options }) } close() {} }
           window.Notification = Kept; document.hasFocus = () => false"""
    )
    chat = await clients.listening_chat(one, context)
    long = "x" * 118 + FAMILY + "y" * 5 + FAMILY + "z"
    [sent] = await clients.post(two, room, long)
    await wait_for_expression(chat.page, "window.shown?.length === 1")
    [shown] = await chat.page.evaluate("window.shown")
    # A notification and a quote have room for 140 units, the list for 120.
    body = "x" * 118 + FAMILY + "y" * 5
    assert shown["body"] == body
    await expect(chat.page.locator(".item-preview")).to_have_text(f"User {two}: " + "x" * 118)
    await expect(chat.page.locator(".item .avatar")).to_have_text(f"{FAMILY}K")
    answer = {"content": "answer", "reply_to": sent["id"]}
    await (await clients.api_user(two)).post(f"/conversations/{room}/messages", answer)
    await chat.open("Kim")
    quote = chat.message("answer").get_by_role("button", name="Go to the message")
    await expect(quote.locator("span").last).to_have_text(body)


@pytest.mark.parametrize(
    ("title", "typed"),
    [
        ("\u1112\u116c\u110b\u1174 Room", "회의"),
        ("INFO desk", "info"),
        ("\u0130LETİŞİM", "iletişim"),
        ("Straße", "STRASSE"),
        ("Ｆｕｌｌ", "full"),
    ],
)
async def test_the_filter_finds_what_reads_the_same(
    clients: WebClients, one: int, title: str, typed: str
) -> None:
    await clients.group(title, one, new_user())
    await clients.group("Another", one, new_user())
    context = await clients.context(locale="tr-TR")
    await context.add_init_script(TURKISH)
    chat = await clients.chat(one, context)
    rows = chat.page.locator(".item")
    await expect(rows).to_have_count(2)
    await chat.page.get_by_role("combobox", name="Search").fill(typed)
    await expect(rows).to_have_count(1)
    await expect(rows.locator(".item-title")).to_have_text(title)


@pytest.mark.parametrize("blank", ["\u3164", "\u200b \u2800\n", "\u00ad\u034f\ufe0f", "\U000e0041"])
async def test_blank_text_is_not_sent(clients: WebClients, one: int, blank: str) -> None:
    room = await clients.group("Blank", one, new_user())
    chat = await clients.chat(one)
    await chat.open("Blank")
    await chat.text_box.fill(blank)
    await expect(chat.page.get_by_role("button", name="Send")).to_be_disabled()
    await chat.text_box.press("Enter")
    # "0" is also in most times of day, so the message is found by its place.
    await chat.send("0")
    await expect(chat.messages).to_have_attribute("data-status", "delivered")
    await chat.text_box.press("ArrowUp")
    await expect(chat.text_box).to_have_value("0")
    await chat.text_box.fill(blank)
    await expect(chat.page.get_by_role("button", name="Save")).to_be_disabled()
    await chat.text_box.press("Enter")
    await chat.text_box.press("Escape")
    inside = f"a{blank}b"
    await chat.send(inside)
    await expect(chat.messages).to_have_count(2)
    await chat.messages.last.get_by_role("img", name=re.compile("Delivered|Sent")).wait_for()
    assert await clients.stored_texts(one, room) == ["0", inside]
