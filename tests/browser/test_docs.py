"""The page that shows the REST document, in Chromium: drawn from our own files, good for trying out."""

from playwright.async_api import Browser, expect

from messenger_shared.operations.table import TABLE
from tests.conftest import SharedStack


async def test_every_operation_is_drawn_and_can_be_tried(browser: Browser, stack: SharedStack) -> None:
    page = await browser.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(f"{stack.url}/api/v1/messenger/docs")
    await expect(page.locator(".opblock")).to_have_count(sum(o.route is not None for o in TABLE.values()))
    await page.get_by_role("button", name="Authorize").click()
    await page.locator(".modal-ux input").fill(stack.token(2))
    await page.locator(".modal-ux button.authorize").click()
    await page.locator(".modal-ux button.btn-done").click()
    await page.locator(".opblock").filter(has_text="/sync").locator(".opblock-summary-control").click()
    await page.get_by_role("button", name="Try it out").click()
    await page.get_by_role("button", name="Execute").click()
    await expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    assert not faults
    assert all(url.startswith((stack.url, "data:")) for url in asked), asked
