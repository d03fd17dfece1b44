"""The web client in Chromium on networks that answer in the gateway's place, or let only pages through."""

from playwright.async_api import Route, expect

from tests.browser.client import Chat, WebClients, new_user

# As behind a proxy that strips `Upgrade`: the request for a socket gets an ordinary answer.
NO_UPGRADE = """
    const Real = WebSocket;
    window.WebSocket = function (url, protocols) {
      return new Real(window.isOpen ? url : url.replace('/messenger/ws/', '/messenger/none/'), protocols) };
    Object.assign(window.WebSocket, { OPEN: 1 });
"""


async def test_a_network_without_sockets_is_said_to_be_one(clients: WebClients) -> None:
    one = new_user()
    await clients.group("Proxy", one, new_user())
    context = await clients.context()
    await context.add_init_script(NO_UPGRADE)
    page = await clients.page(context)
    await page.goto(f"{clients.url}/?user_id={one}")
    chat = Chat(page, one)
    await expect(page.locator(".banner")).to_contain_text("This network lets no live connection through.")
    await chat.open("Proxy")
    await chat.save_screenshot("blocked")
    # In one step: once the network is open, the client's own next attempt would take the button away.
    await page.get_by_role("button", name="Try now").evaluate("(it) => { window.isOpen = true; it.click() }")
    await chat.expect_connected()
    await expect(page.locator(".banner")).not_to_contain_text("no live connection")


async def test_a_captive_portal_is_outlived_without_a_reload(clients: WebClients) -> None:
    one = new_user()
    await clients.group("Portal", one, new_user())
    context = await clients.context()
    page = await clients.page(context)
    held = True

    async def answer(route: Route) -> None:
        if held:
            await route.fulfill(status=200, content_type="text/html", body="<html>Accept our terms</html>")
        else:
            await route.continue_()

    await page.route("**/api/v1/messenger/**", answer)
    await page.goto(f"{clients.url}/?user_id={one}")
    await expect(page.locator(".banner")).to_have_attribute("data-phase", "waiting")
    held = False
    chat = Chat(page, one)
    await chat.expect_connected()
    await chat.open("Portal")
    await chat.send("through")
    await chat.expect_status("through", "delivered")
