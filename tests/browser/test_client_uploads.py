"""Uploads in the web client: resumed after a cut and a reload, pasted, dropped, cancelled, refused."""

from playwright.async_api import Route, expect

from tests.browser.client import WebClients
from tests.browser.files import attachments, choose, document, expect_loaded, picture, ready, tray, two_in
from tests.browser.test_client_looks import WIDE, assert_accessible
from tests.waiting import until

MIB = 2**20
UPLOADS = "**/api/v1/messenger/uploads/**"
# A file of this size takes two requests.
LARGE = 20 * MIB


async def test_an_upload_survives_a_cut_and_a_reload(clients: WebClients) -> None:
    first, second = await two_in(clients, "Large", viewport=WIDE)
    cuts: list[str] = []

    async def cut(route: Route) -> None:
        # The first request arrives. The connection is lost during the next one.
        if route.request.method == "PATCH" and route.request.headers["upload-offset"] != "0":
            cuts.append(route.request.url)
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await first.page.route(UPLOADS, cut)
    large = document("large.bin", LARGE)
    await choose(first, large)
    await first.text_box.fill("The recording")
    await first.text_box.press("Enter")
    sending = attachments(first).get_by_role("progressbar")
    await expect(sending).to_have_attribute("aria-valuenow", "80")
    await until(lambda: len(cuts) > 1)
    await first.save_screenshot("files-sending")
    await assert_accessible(first.page)
    await first.send("Meanwhile")
    await first.expect_stored("Meanwhile")
    await first.page.reload()
    await expect(sending).to_have_attribute("aria-valuenow", "80")
    await expect(first.message("The recording")).to_have_attribute("data-status", "sending")
    await first.page.unroute(UPLOADS)
    await first.page.reload()
    await first.expect_stored("The recording")
    assert len(set(cuts)) == 1, "the upload began anew"
    await second.expect_messages("Hello", "Meanwhile", "The recording")
    async with second.page.expect_download() as downloading:
        await second.page.get_by_role("button", name="Download large.bin").click()
    path = await (await downloading.value).path()
    assert path.read_bytes() == large["buffer"]


async def test_a_draft_keeps_its_files_over_a_reload(clients: WebClients) -> None:
    chat, _ = await two_in(clients, "Draft", viewport=WIDE)
    await choose(chat, picture("kept.png"), document("kept.bin", 1024))
    await expect(ready(chat)).to_have_count(2)
    await chat.page.reload()
    await expect(ready(chat)).to_have_count(2)
    await expect_loaded(tray(chat).locator("img"), 1)
    await chat.page.get_by_role("button", name="Remove kept.bin").click()
    await chat.page.get_by_role("button", name="Send", exact=True).click()
    await expect_loaded(attachments(chat).get_by_role("img", name="kept.png"), 1)
    await chat.page.reload()
    await expect(chat.page.get_by_test_id("attachments")).to_have_count(1)
    await expect(tray(chat)).to_have_count(0)


GIVEN = """([kind, names]) => {
    const transfer = new DataTransfer();
    for (const name of names) transfer.items.add(new File(['a file'], name, { type: 'text/plain' }));
    const box = document.activeElement;
    const init = { bubbles: true, cancelable: true, dataTransfer: transfer, clipboardData: transfer };
    const event = kind === 'paste' ? new ClipboardEvent(kind, init) : new DragEvent(kind, init);
    return box.dispatchEvent(event);
}"""


async def test_files_are_pasted_and_dropped(clients: WebClients) -> None:
    chat, _ = await two_in(clients, "Given", viewport=WIDE)
    await chat.text_box.focus()
    assert not await chat.page.evaluate(GIVEN, ["paste", ["pasted.txt"]])
    await expect(tray(chat)).to_have_count(1)
    await chat.page.evaluate(GIVEN, ["dragenter", ["one.txt", "two.txt"]])
    overlay = chat.page.get_by_text("Drop files to attach them")
    await expect(overlay).to_be_visible()
    await chat.save_screenshot("files-drop")
    assert not await chat.page.evaluate(GIVEN, ["drop", ["one.txt", "two.txt"]])
    await expect(overlay).to_have_count(0)
    await expect(ready(chat)).to_have_count(3)
    await chat.text_box.press("Enter")
    await expect(attachments(chat)).to_contain_text("pasted.txt")
    await expect(attachments(chat)).to_contain_text("two.txt")


async def test_an_upload_is_cancelled_in_the_tray_and_in_the_message(clients: WebClients) -> None:
    chat, _ = await two_in(clients, "Cancelled", viewport=WIDE)
    await chat.page.route(UPLOADS, hang)
    await choose(chat, document("first.bin", 4096), document("second.bin", 4096))
    await chat.page.get_by_role("button", name="Remove first.bin").click()
    await expect(tray(chat)).to_have_count(1)
    await chat.send("Never")
    await chat.message("Never").get_by_role("button", name="Cancel sending").click()
    await expect(chat.message("Never")).to_have_count(0)
    await expect(tray(chat)).to_have_count(0)
    await chat.page.reload()
    await chat.expect_messages("Hello")
    await expect(tray(chat)).to_have_count(0)


async def hang(route: Route) -> None:
    """Never answers, as a network that swallows everything."""


async def test_a_refused_file_is_told_and_keeps_the_rest(clients: WebClients) -> None:
    chat, _ = await two_in(clients, "Refused", viewport=WIDE)

    async def refuse(route: Route) -> None:
        if route.request.post_data_json["name"] == "virus.exe":
            await route.fulfill(status=415, json={"code": "file_type_refused", "retryable": False})
        elif route.request.post_data_json["name"] == "huge.bin":
            await route.fulfill(status=413, json={"code": "file_too_large", "retryable": False})
        else:
            await route.continue_()

    await chat.page.route("**/api/v1/messenger/files", refuse)
    await choose(chat, document("virus.exe", 1024), document("huge.bin", 1024), picture())
    await expect(chat.page.get_by_text("Files of this type may not be sent.")).to_be_visible()
    await expect(chat.page.get_by_text("The file is too large.")).to_be_visible()
    await chat.text_box.fill("With one")
    await expect(chat.page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    await assert_accessible(chat.page)
    await chat.save_screenshot("files-refused")
    await chat.page.get_by_role("button", name="Remove virus.exe").click()
    await chat.page.unroute("**/api/v1/messenger/files")
    await chat.page.get_by_role("button", name="Try huge.bin again").click()
    await expect(ready(chat)).to_have_count(2)
    await chat.text_box.press("Enter")
    await chat.expect_stored("With one")
