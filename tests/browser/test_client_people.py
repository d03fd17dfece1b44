"""People in the web client: found by name, with pictures, and renamed while others look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Route, expect

from tests.browser.client import Chat, WebClients, new_user
from tests.browser.people import PICTURES, item, name, with_pictures
from tests.browser.test_client_composition import ENTER, PROCESS, compose, key
from tests.browser.test_client_looks import NARROW, WIDE, assert_accessible, assert_fits
from tests.client import User

# The names in the list of people found, without the letters of their avatars.
NAMES = ".option .person-name"
SEARCHES = "**/users?q=*"


ENGLISH = ("New conversation", "Group", "Title", "Participants", "Create")
KOREAN = ("새 대화", "그룹", "제목", "참여자", "만들기")


async def about_to_choose(clients: WebClients, host: User, texts: tuple[str, ...], **options: Any) -> Chat:
    """Opens the dialog for a new group, for a user who knows a Grace and a Grażyna."""
    one, two, three = new_user(), new_user(), new_user()
    await name(host, two, "Grace Hopper", avatar_url=f"{PICTURES}/grace.png")
    await name(host, three, "Grażyna 김민수")
    await clients.group("Before", one, two, three)
    context, _ = await with_pictures(clients, **options)
    chat = await clients.chat(one, context)
    new, group, title, *_ = texts
    await chat.open_dialog(new)
    await chat.page.get_by_role("radio", name=group).check()
    await chat.page.get_by_label(title).fill("By name")
    return chat


@pytest.mark.parametrize(
    ("scheme", "viewport", "locale", "texts"),
    [("light", WIDE, "en-US", ENGLISH), ("dark", NARROW, "ko-KR", KOREAN)],
)
async def test_the_list_of_people_is_walked_with_the_arrow_keys(
    clients: WebClients,
    host: User,
    scheme: str,
    viewport: dict[str, int],
    locale: str,
    texts: tuple[str, ...],
) -> None:
    options = {"color_scheme": scheme, "viewport": viewport, "locale": locale}
    chat = await about_to_choose(clients, host, texts, **options)
    page = chat.page
    field, found = page.get_by_role("combobox", name=texts[3]), page.get_by_role("option")
    await field.press_sequentially("gra")
    await expect(page.locator(NAMES)).to_have_text(["Grace Hopper", "Grażyna 김민수"])
    await expect(field).to_have_attribute("aria-expanded", "true")
    await field.press("ArrowDown")
    await field.press("ArrowDown")
    await expect(found.nth(1)).to_have_attribute("aria-selected", "true")
    assert await field.get_attribute("aria-activedescendant") == await found.nth(1).get_attribute("id")
    await assert_accessible(page)
    await assert_fits(page, viewport)
    await chat.save_screenshot(f"people-{scheme}")
    await field.press("ArrowDown")
    await expect(found.nth(0)).to_have_attribute("aria-selected", "true")
    await field.press("ArrowUp")
    await expect(found.nth(1)).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize(("locale", "texts"), [("en-US", ENGLISH), ("ko-KR", KOREAN)])
async def test_people_are_found_by_name_and_chosen_with_the_keyboard(
    clients: WebClients, host: User, locale: str, texts: tuple[str, ...]
) -> None:
    chat = await about_to_choose(clients, host, texts, viewport=NARROW, locale=locale)
    page = chat.page
    field, chosen = page.get_by_role("combobox", name=texts[3]), page.locator(".chosen-name")
    await field.press_sequentially("gra")
    await expect(page.locator(NAMES)).to_have_count(2)
    await field.press("ArrowDown")
    await field.press("Enter")
    await expect(field).to_have_value("")
    await expect(field).to_have_attribute("aria-expanded", "false")
    await field.press_sequentially("g")
    # Whoever is chosen already is not offered again, and Enter takes the only one.
    await expect(page.locator(NAMES)).to_have_text(["Grażyna 김민수"])
    await field.press("Enter")
    await expect(chosen).to_have_text(["Grace Hopper", "Grażyna 김민수"])
    await assert_accessible(page)
    await field.press("Backspace")
    await expect(chosen).to_have_text(["Grace Hopper"])
    await field.press("Enter")
    await expect(page.get_by_role("heading", name="By name")).to_be_visible()
    if await page.get_by_role("button", name=texts[0]).first.is_hidden():
        await page.go_back()
    await expect(item(page, "By name")).to_be_visible()
    [made] = (await (await clients.api_user(chat.user)).get("/conversations")).body["items"][:1]
    assert (made["title"], made["participants_count"]) == ("By name", 2)


async def test_members_are_added_by_name_and_escape_closes_the_list_first(
    clients: WebClients, host: User
) -> None:
    one, two, three = new_user(), new_user(), new_user()
    await name(host, two, "Ada Lovelace")
    await name(host, three, "Ada Byron")
    await clients.group("Contacts", one, two, three)
    await clients.group("Engine", one, two)
    chat = await clients.chat(one)
    page = chat.page
    await chat.open("Engine")
    await chat.open_dialog("Details")
    await expect(page.get_by_test_id(f"member-{two}")).to_contain_text("Ada Lovelace")
    field = page.get_by_role("combobox", name="Add people")
    await field.press_sequentially("ada")
    # Members are not offered.
    await expect(page.locator(NAMES)).to_have_text(["Ada Byron"])
    await field.press("Escape")
    await expect(page.get_by_role("listbox")).to_have_count(0)
    await expect(field).to_have_value("ada")
    await field.press("ArrowDown")
    await expect(page.get_by_role("option", name="Ada Byron")).to_have_attribute("aria-selected", "true")
    await assert_accessible(page)
    await field.press("Enter")
    await field.press("Enter")
    await expect(page.get_by_test_id(f"member-{three}")).to_contain_text("Ada Byron")
    await expect(page.locator(".chosen-person")).to_have_count(0)
    await field.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_an_option_is_chosen_with_a_press_during_a_composition(clients: WebClients, host: User) -> None:
    one, two = new_user(), new_user()
    await name(host, two, "한석봉")
    await clients.group("서예", one, two)
    chat = await clients.chat(one)
    page = chat.page
    await chat.open_dialog("New conversation")
    field = page.get_by_role("combobox", name="Name or user id")
    await field.focus()
    input_ = await page.context.new_cdp_session(page)
    # While a newer answer is under way, Enter takes nobody. So only the whole syllable finds somebody.
    await page.route(SEARCHES, find_only("한"))
    await compose(input_, "ㅎ", "하", "한")
    await page.get_by_role("option", name="한석봉").click()
    await expect(page.locator(".chosen-name")).to_have_text("한석봉")
    await expect(field).to_have_value("")
    await expect(field).to_be_focused()
    # Enter ends the syllable, and takes the only one who was found.
    await field.press("Backspace")
    await compose(input_, "ㅎ", "하", "한")
    await expect(page.get_by_role("option", name="한석봉")).to_be_visible()
    await key(input_, "rawKeyDown", PROCESS)
    await input_.send("Input.insertText", {"text": "한"})
    await key(input_, "keyUp", ENTER)
    await expect(page.locator(".chosen-name")).to_have_text("한석봉")
    await expect(field).to_have_value("")
    await field.press("Enter")
    await expect(page.get_by_role("heading", name="한석봉")).to_be_visible()


def find_only(query: str) -> Callable[[Route], Awaitable[None]]:
    async def answer(route: Route) -> None:
        if parse_qs(urlsplit(route.request.url).query)["q"] == [query]:
            await route.continue_()
        else:
            await route.fulfill(json={"items": []})

    return answer


async def test_where_nobody_can_be_searched_for_ids_still_work(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    chat = await clients.chat(one)
    page = chat.page

    async def refuse(route: Route) -> None:
        await route.fulfill(status=403, json={"code": "forbidden", "title": "No", "retryable": False})

    await page.route(SEARCHES, refuse)
    await chat.open_dialog("New conversation")
    field = page.get_by_role("combobox", name="Name or user id")
    await field.press_sequentially("ada")
    await expect(page.get_by_text("Searching by name is switched off here.")).to_be_visible()
    await field.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("one user id")
    await assert_accessible(page)
    await field.fill(str(two))
    await field.press("Enter")
    await expect(page.get_by_role("heading", name=f"User {two}")).to_be_visible()


async def test_a_picture_that_fails_falls_back_to_initials(clients: WebClients, host: User) -> None:
    one, two, three, four = new_user(), new_user(), new_user(), new_user()
    await name(host, two, "Ada Lovelace", avatar_url=f"{PICTURES}/ada.png")
    await name(host, three, "홍 길동", avatar_url=f"{PICTURES}/broken.png")
    await name(host, four, "Without Any")
    room = await clients.group("Pictures", one, two, three, four)
    for user in (two, three, four):
        await clients.post(user, room, f"from {user}")
    context, requests = await with_pictures(clients)
    chat = await clients.chat(one, context)
    await chat.open("Pictures")
    avatars = [chat.message(f"from {user}").locator(".avatar") for user in (two, three, four)]
    good, broken, none = avatars
    picture = good.locator("img")
    await expect(good).to_have_class("avatar pictured small")
    await expect(picture).to_have_css("opacity", "1")
    await expect(picture).to_have_attribute("loading", "lazy")
    await expect(broken.locator("img")).to_have_count(0)
    await expect(broken).to_have_text("홍길")
    await expect(none).to_have_text("WA")
    sizes = [await each.evaluate("each => [each.offsetWidth, each.offsetHeight]") for each in avatars]
    assert sizes == [[34, 34]] * 3
    assert requests
    assert not any("referer" in headers for headers in requests)
    await chat.page.get_by_role("button", name="Details").click()
    await expect(chat.page.get_by_test_id(f"member-{two}").locator("img")).to_have_css("opacity", "1")
    await expect(chat.page.get_by_test_id(f"member-{three}").locator(".avatar")).to_have_text("홍길")


async def test_a_rename_appears_everywhere_without_a_reload(clients: WebClients, host: User) -> None:
    one, two = new_user(), new_user()
    await name(host, one, "Me Before")
    await name(host, two, "Before Marriage")
    room = await clients.group("Renaming", one, two)
    await clients.post(two, room, "hello")
    direct = await (await clients.api_user(two)).post(
        "/conversations", {"type": "direct", "participant_ids": [one]}
    )
    await clients.post(two, direct.body["id"], "just us")
    context, _ = await with_pictures(clients)
    chat = await clients.chat(one, context)
    page = chat.page
    await expect(page.locator(".me")).to_contain_text("Me Before")
    await chat.open("Renaming")
    await expect(chat.message("hello").locator(".sender")).to_have_text("Before Marriage")
    await name(host, two, "After Wedding", avatar_url=f"{PICTURES}/after.png")
    await name(host, one, "Me After")
    await expect(chat.message("hello").locator(".sender")).to_have_text("After Wedding")
    await expect(chat.message("hello").locator(".avatar")).to_have_class("avatar pictured small")
    await expect(item(page, "Renaming")).to_contain_text("After Wedding: hello")
    await expect(item(page, "Offline After Wedding")).to_contain_text("just us")
    await expect(page.locator(".me")).to_contain_text("Me After")
    await expect(page.get_by_text("Before")).to_have_count(0)


async def test_a_missed_rename_appears_when_the_connection_is_back(clients: WebClients, host: User) -> None:
    one, two = new_user(), new_user()
    await name(host, two, "Before Cut")
    room = await clients.group("Cut", one, two)
    await clients.post(two, room, "hello")
    # The list of conversations, which is read again, names only who wrote last.
    await clients.post(one, room, "and hello")
    context = await clients.context()
    chat, other = await clients.chat(one, context), await clients.chat(two)
    await chat.open("Cut")
    await context.set_offline(True)
    await chat.expect_banner("You are offline.")
    await name(host, two, "After Cut")
    await expect(other.page.locator(".me")).to_contain_text("After Cut")
    await context.set_offline(False)
    await expect(chat.message("hello").locator(".sender")).to_have_text("After Cut")
