"""Files in the web client: sent, seen, downloaded, viewed, edited; in each state; at 360 px in Korean."""

import asyncio

import pytest
from playwright.async_api import Route, expect

from tests.browser.client import WebClients, new_user, wait_for_expression
from tests.browser.files import (
    attachments,
    choose,
    document,
    expect_loaded,
    picture,
    ready,
    recording,
    tray,
    two_in,
)
from tests.browser.test_client_looks import NARROW, WIDE, assert_accessible, look_at
from tests.e2e.uploads import Files
from tests.waiting import eventually


async def test_two_exchange_a_picture_with_text(clients: WebClients) -> None:
    first, second = await two_in(clients, "Photos", viewport=WIDE)
    await choose(first, picture("바다.png"))
    await expect(ready(first)).to_have_count(1)
    await first.save_screenshot("files-tray")
    await assert_accessible(first.page)
    await first.send("Look at this")
    await expect(tray(first)).to_have_count(0)
    await first.expect_stored("Look at this")
    for chat in (first, second):
        await expect_loaded(attachments(chat).get_by_role("img", name="바다.png"), 1)
        await expect(chat.message("Look at this").get_by_test_id("attachments")).to_have_count(1)
    await assert_accessible(second.page)
    await second.save_screenshot("files-picture")
    await choose(second, picture("back.png", 300, 900))
    await second.text_box.press("Enter")
    await expect_loaded(attachments(first).get_by_role("img", name="back.png"), 1)
    await expect(first.page.get_by_role("button", name="Photos")).to_contain_text("Photo")


async def test_ten_at_once_and_no_more(clients: WebClients) -> None:
    first, second = await two_in(clients, "Ten", viewport=WIDE)
    await choose(first, *(picture(f"{number}.png", 200 + number * 20, 200) for number in range(12)))
    await expect(tray(first)).to_have_count(10)
    await expect(first.page.get_by_text("2 were left out")).to_be_visible()
    await first.page.get_by_role("button", name="Remove 9.png").click()
    await expect(tray(first)).to_have_count(9)
    await choose(first, document("notes.bin", 4096))
    await first.page.get_by_role("button", name="Send", exact=True).click()
    await expect(tray(first)).to_have_count(0)
    await expect_loaded(attachments(second).get_by_role("img"), 9)
    await expect(attachments(second)).to_contain_text("notes.bin")
    await expect(second.page.get_by_role("button", name="Ten")).to_contain_text("10 files")
    await assert_accessible(second.page)
    await second.save_screenshot("files-ten")
    async with second.page.expect_download() as downloading:
        await second.page.get_by_role("button", name="Download notes.bin").click()
    download = await downloading.value
    assert download.suggested_filename == "notes.bin"
    path = await download.path()
    assert path.read_bytes() == document("", 4096)["buffer"]


async def test_a_recording_is_sent_at_once_and_played(clients: WebClients) -> None:
    first, second = await two_in(clients, "Sounds", viewport=WIDE)
    is_released = asyncio.Event()

    async def hold(route: Route) -> None:
        await is_released.wait()
        await route.continue_()

    # What uploads files is loaded with the first one. The message waits for it.
    await first.page.route("**/assets/engine-*.js", hold)
    await choose(first, recording("song.wav", 3))
    await first.send("Listen")
    await expect(first.page.get_by_text("Adding files…")).to_be_visible()
    await expect(first.text_box).to_have_value("Listen")
    is_released.set()
    await expect(first.text_box).to_have_value("")
    await expect(attachments(second)).to_contain_text("song.wav")
    await expect(attachments(second).locator("audio")).to_have_count(0)
    await attachments(second).get_by_role("button", name="Play song.wav").click()
    await expect(attachments(second).locator("audio")).to_have_js_property("duration", 3)
    await assert_accessible(second.page)


async def test_a_second_tab_sends_files_too(clients: WebClients) -> None:
    first, second = await two_in(clients, "Tabs", viewport=WIDE)
    # The first tab is the leader, which sends what the second one uploads.
    tab = await clients.chat(first.user, context=first.page.context)
    await tab.open("Tabs")
    await choose(tab, picture("tab.png"))
    await expect(ready(tab)).to_have_count(1)
    await expect(tray(first)).to_have_count(0)
    await tab.send("From the second tab")
    for chat in (first, tab, second):
        await expect_loaded(chat.message("From the second tab").get_by_role("img", name="tab.png"), 1)
    await first.expect_stored("From the second tab")
    await expect(tray(tab)).to_have_count(0)


async def test_pictures_are_viewed_with_the_keyboard(clients: WebClients) -> None:
    first, second = await two_in(clients, "Viewer", viewport=WIDE)
    await choose(first, *(picture(f"{name}.png", 900, 600) for name in "abc"))
    await first.page.get_by_role("button", name="Send", exact=True).click()
    shown = attachments(second)
    await expect_loaded(shown.get_by_role("img"), 3)
    opener = shown.get_by_role("button", name="b.png")
    await opener.focus()
    await second.page.keyboard.press("Enter")
    viewer = second.page.get_by_role("dialog", name="Pictures")
    await expect(viewer.get_by_role("img", name="b.png")).to_be_visible()
    await expect(viewer).to_contain_text("2 of 3 · b.png")
    await wait_for_expression(second.page, "document.activeElement.closest('[role=dialog]') !== null")
    await assert_accessible(second.page)
    await second.save_screenshot("files-viewer")
    await second.page.keyboard.press("ArrowRight")
    await expect(viewer).to_contain_text("3 of 3 · c.png")
    await expect(viewer.get_by_role("button", name="Next picture")).to_be_disabled()
    await second.page.keyboard.press("Escape")
    await expect(viewer).to_have_count(0)
    await expect(opener).to_be_focused()


async def test_a_message_with_files_is_edited_answered_and_deleted(clients: WebClients) -> None:
    first, second = await two_in(clients, "Edited", viewport=WIDE)
    await choose(first, picture("sea.png"), picture("sky.png"))
    await first.send("Holidays")
    await first.expect_stored("Holidays")
    await first.choose_action("Holidays", "Edit")
    await first.text_box.fill("")
    await first.page.get_by_role("button", name="Save").click()
    await expect(second.message("Holidays")).to_have_count(0)
    await expect_loaded(attachments(second).get_by_role("img"), 2)
    await expect(second.page.get_by_role("button", name="Edited")).to_contain_text("2 photos")
    await second.messages.last.click(button="right")
    await second.page.get_by_role("menuitem", name="Reply").click()
    await second.send("Where is it?")
    await expect(first.message("Where is it?")).to_contain_text("2 photos")


@pytest.mark.parametrize("kind", ["pending", "rejected"])
async def test_a_file_that_is_checked_is_shown_so(clients: WebClients, kind: str) -> None:
    """The gateway's own states come from elsewhere; here its answers are changed on the way."""
    one, two = new_user(), new_user()
    room = await clients.group("Checked", one, two)
    sender = await clients.api_user(two)
    files = Files(sender.http, sender.url)
    await sender.post(f"/conversations/{room}/messages", {"attachments": [await files.upload(sender)]})
    chat = await clients.chat(one, viewport=WIDE)

    async def change(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        for message in body["items"]:
            for file in message["attachments"]:
                file["state"] = kind
        await route.fulfill(response=answer, json=body)

    await chat.page.route(f"**/conversations/{room}/messages**", change)
    await chat.open("Checked")
    text = "Being checked" if kind == "pending" else "Refused by the check"
    await expect(attachments(chat)).to_contain_text(text)
    await expect(attachments(chat).get_by_role("button")).to_have_count(0)
    await assert_accessible(chat.page)


async def test_a_picture_keeps_its_place_until_it_is_there(clients: WebClients) -> None:
    """A smaller copy is loaded into the place of its size. The answers are changed on the way."""
    one, two = new_user(), new_user()
    room = await clients.group("Place", one, two)
    sender = await clients.api_user(two)
    file_id = await Files(sender.http, sender.url).upload(sender, picture()["buffer"], "wide.png")
    await sender.post(f"/conversations/{room}/messages", {"attachments": [file_id]})
    chat = await clients.chat(one, viewport=WIDE)
    is_released = asyncio.Event()

    async def change(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        about = {
            "width": 1600,
            "height": 800,
            "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
            "thumbs": [320, 840],
        }
        body["items"][0]["attachments"][0].update(about)
        await route.fulfill(response=answer, json=body)

    async def thumb(route: Route) -> None:
        await is_released.wait()
        await route.fulfill(body=picture(width=840, height=420)["buffer"], content_type="image/png")

    await chat.page.route(f"**/conversations/{room}/messages**", change)
    await chat.page.route(f"**/files/{file_id}/thumb/840", thumb)
    await chat.open("Place")
    place = attachments(chat).get_by_role("button", name="wide.png")
    drawn = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 32, 32).data].some(value => value > 0)"
    await eventually(lambda: attachments(chat).locator("canvas").evaluate(drawn))
    before = await place.bounding_box()
    assert before is not None
    assert before["width"] == pytest.approx(before["height"] * 2, abs=1)
    await chat.save_screenshot("files-place")
    is_released.set()
    await expect_loaded(attachments(chat).get_by_role("img", name="wide.png"), 1)
    assert await place.bounding_box() == before


async def test_on_a_phone_in_korean(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("사진 모임", one, two)
    await clients.post(two, room, "안녕하세요")
    first = await clients.chat(one, viewport=NARROW, locale="ko-KR")
    second = await clients.chat(two, viewport=WIDE)
    await first.page.get_by_role("button", name="사진 모임").click()
    await second.open("사진 모임")
    await choose(first, picture("긴 이름을 가진 바다 사진 파일입니다.png"), document("보고서.bin", 2048))
    await expect(ready(first)).to_have_count(2)
    await look_at(first, "files-tray-ko")
    await first.page.get_by_role("button", name="보내기", exact=True).click()
    await expect_loaded(attachments(first).get_by_role("img"), 1)
    await choose(second, *(picture(f"{number}.png") for number in range(4)))
    await second.page.get_by_role("button", name="Send", exact=True).click()
    await expect_loaded(attachments(first).last.get_by_role("img"), 4)
    await look_at(first, "files-ko")
    overflow = await first.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not overflow
    await first.page.get_by_role("button", name="대화 목록으로").click()
    await expect(first.page.get_by_role("button", name="사진 모임")).to_contain_text("사진 4장")
