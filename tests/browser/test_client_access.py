"""How the web client's user comes in: from a page that embeds it, by a login page, or not at all."""

import json
import re
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import BrowserContext, Page, Route, expect

from tests.browser.client import Chat, Office, new_user

HOST_PAGE = """<!doctype html><title>The host</title>
<iframe src="{client}/" style="width: 900px; height: 600px"></iframe>
<script>
  addEventListener('message', event => {{
    if (event.origin !== {origin}) return;
    const say = answer => event.source.postMessage(answer, event.origin);
    if (event.data.type === 'messenger.token.wanted') say({{ type: 'messenger.token', token: {token} }});
    if (event.data.type === 'messenger.names.wanted') say({{ type: 'messenger.names', names: {names} }});
  }});
</script>"""


async def test_a_host_page_hands_over_the_token_and_knows_the_names(office: Office) -> None:
    one, two = new_user(), new_user()
    room = await office.group("Embedded", one, two)
    await office.post(two, room, "Hello from the other side")
    page = await hosted(office, one, {one: "Ada", two: "Grace"})
    client = page.frame_locator("iframe")
    await expect(client.get_by_role("navigation")).to_contain_text("Ada")
    await client.get_by_role("button", name="Embedded").click()
    await expect(client.get_by_test_id("message")).to_contain_text("Grace")


async def test_a_page_that_is_not_allowed_cannot_embed_the_client(office: Office) -> None:
    context = await office.context()
    page = await context.new_page()
    refused: list[str] = []
    page.on("console", lambda line: refused.append(line.text))
    await serve(context, "http://elsewhere.example/", f'<iframe src="{office.url}/"></iframe>')
    await page.goto("http://elsewhere.example/")
    await expect(page.frame_locator("iframe").get_by_role("heading")).to_have_count(0)
    assert any("frame-ancestors" in line for line in refused)


async def test_a_login_page_is_called_and_its_token_taken_out_of_the_address(office: Office) -> None:
    one = new_user()
    await office.group("Signed in", one, new_user())
    page = await signing_in(office)
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["return_to"] == [f"{office.url}/"]
    token = office.stack.token(one)
    await page.goto(f"{office.url}/#token={token}&state={asked['state'][0]}")
    chat = Chat(page, one)
    await chat.is_connected()
    await expect(page.get_by_role("button", name="Signed in")).to_be_visible()
    assert page.url == f"{office.url}/"
    await page.reload()
    await chat.is_connected()


async def test_a_token_that_nobody_asked_for_is_not_taken(office: Office) -> None:
    page = await signing_in(office)
    token = office.stack.token(new_user())
    await page.goto(f"{office.url}/#token={token}&state=guessed")
    await expect(page).to_have_url(re.compile("/login"))


async def test_without_any_way_in_the_client_says_so(office: Office) -> None:
    context = await office.context()
    await configured(context, login_url=None, dev_tokens=False)
    page = await office.page(context)
    await page.goto(office.url)
    await expect(page.get_by_role("heading")).to_have_text("There is no way to sign in here")


async def hosted(office: Office, user: int, names: dict[int, str]) -> Page:
    """A page of another origin that embeds the client, as an application would."""
    context = await office.context()
    origin = office.url.replace("127.0.0.1", "localhost")
    html = HOST_PAGE.format(
        client=office.url,
        origin=json.dumps(office.url),
        token=json.dumps(office.stack.token(user)),
        names=json.dumps(names),
    )
    await serve(context, f"{origin}/host", html)
    page = await office.page(context)
    await page.goto(f"{origin}/host")
    return page


async def signing_in(office: Office) -> Page:
    """The client, sent away to sign in."""
    context = await office.context()
    await configured(context, login_url="/login", dev_tokens=False)
    await serve(context, f"{office.url}/login?*", "<title>Sign in</title>")
    page = await office.page(context)
    await page.goto(office.url)
    await expect(page).to_have_title("Sign in")
    return page


async def serve(context: BrowserContext, url: str, html: str) -> None:
    async def answer(route: Route) -> None:
        await route.fulfill(content_type="text/html", body=html)

    await context.route(url, answer)


async def configured(context: BrowserContext, **config: object) -> None:
    async def answer(route: Route) -> None:
        await route.fulfill(json={"host_origins": [], **config})

    await context.route("**/config.json", answer)
