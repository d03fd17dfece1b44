"""The page of the REST document, in Chromium: it loads only our own files, and requests can be tried."""

from playwright.async_api import Browser, expect

from messenger_shared.contract.operations.table import TABLE
from tests.conftest import SharedStack


async def test_every_operation_is_drawn_and_can_be_tried(browser: Browser, stack: SharedStack) -> None:
    async with await browser.new_page() as page:
        asked: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(f"{stack.url}/api/v1/messenger/docs")
        routes = [route for o in TABLE.values() for route in (o.route, o.server) if route is not None]
        await expect(page.locator(".opblock")).to_have_count(len(routes))
        await page.get_by_role("button", name="Authorize").click()
        # The first form is for users' tokens, the second one for server keys.
        await page.locator(".modal-ux input").first.fill(stack.token(2))
        await page.locator(".modal-ux button.authorize").first.click()
        await page.locator(".modal-ux button.btn-done").first.click()
        await page.locator(".opblock").filter(has_text="/sync").locator(".opblock-summary-control").click()
        await page.get_by_role("button", name="Try it out").click()
        await page.get_by_role("button", name="Execute").click()
        await expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
        assert not errors
        assert all(url.startswith((stack.url, "data:")) for url in asked), asked
