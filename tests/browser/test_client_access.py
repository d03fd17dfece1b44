"""How users enter the web client: through a page that embeds it, through a login page, or not at all."""

import json
import re
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import BrowserContext, Page, Route, expect

from tests.browser.client import Chat, WebClients, new_user
from tests.waiting import until

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


LETTERS_IN_ORDER = """element => {
  const text = document.createTreeWalker(element, NodeFilter.SHOW_TEXT), lefts = [];
  const range = document.createRange();
  while (text.nextNode()) for (let at = 0; at < text.currentNode.length; at += 1) {
    range.setStart(text.currentNode, at);
    range.setEnd(text.currentNode, at + 1);
    lefts.push(range.getBoundingClientRect().left);
  }
  return lefts.every((left, at) => at === 0 || left >= lefts[at - 1]);
}"""


async def test_a_host_page_hands_over_the_token_and_knows_the_names(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Embedded", one, two)
    await clients.post(two, room, "Hello from the other side")
    page = await hosted(clients, one, {one: "Ada", two: "Grace"})
    client = page.frame_locator("iframe")
    await expect(client.get_by_role("navigation")).to_contain_text("Ada")
    await client.get_by_role("button", name="Embedded").click()
    await expect(client.get_by_test_id("message")).to_contain_text("Grace")


async def test_a_name_turns_nothing_around_it_and_a_blank_one_is_none(clients: WebClients) -> None:
    one, two, three = new_user(), new_user(), new_user()
    room = await clients.group("Names", one, two, three)
    await clients.post(three, room, "from somebody without a name")
    await clients.post(two, room, "from a family")
    family = "👨\u200d👩\u200d👧"
    page = await hosted(clients, one, {one: "Ada\u202e", two: f"{family} \u202eKim", three: "\u3164\u200b"})
    client = page.frame_locator("iframe")
    row = client.get_by_role("button", name="Names")
    await expect(row.locator(".item-preview")).to_have_text(f"{family} Kim: from a family")
    await row.click()
    await expect(client.locator(".row-avatar").last).to_have_text(f"{family}K")
    await expect(client.locator(".sender").first).to_have_text(f"User {three}")
    await client.get_by_role("button", name="Details").click()
    you = client.get_by_test_id(f"member-{one}").locator(".person-name .quiet")
    await expect(you).to_have_text(" (You)")
    assert await you.evaluate(LETTERS_IN_ORDER)
    label = await client.get_by_test_id(f"member-{two}").get_by_role("combobox").get_attribute("aria-label")
    assert label == f"Role of {family} Kim"


async def test_a_page_that_is_not_allowed_cannot_embed_the_client(clients: WebClients) -> None:
    context = await clients.context()
    page = await context.new_page()
    refused: list[str] = []
    page.on("console", lambda line: refused.append(line.text))
    await serve(context, "http://elsewhere.example/", f'<iframe src="{clients.url}/"></iframe>')
    await page.goto("http://elsewhere.example/")
    await expect(page.frame_locator("iframe").get_by_role("heading")).to_have_count(0)
    # The browser tells its console later than it ends loading.
    await until(lambda: any("frame-ancestors" in line for line in refused))


async def test_a_login_page_is_called_and_its_token_taken_out_of_the_address(clients: WebClients) -> None:
    one = new_user()
    await clients.group("Signed in", one, new_user())
    page = await signing_in(clients)
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["return_to"] == [f"{clients.url}/"]
    token = clients.stack.token(one)
    await page.goto(f"{clients.url}/#token={token}&state={asked['state'][0]}")
    chat = Chat(page, one)
    await chat.expect_connected()
    await expect(page.get_by_role("button", name="Signed in")).to_be_visible()
    assert page.url == f"{clients.url}/"
    await page.reload()
    await chat.expect_connected()


async def test_a_token_that_nobody_asked_for_is_not_taken(clients: WebClients) -> None:
    page = await signing_in(clients)
    token = clients.stack.token(new_user())
    await page.goto(f"{clients.url}/#token={token}&state=guessed")
    await expect(page).to_have_url(re.compile("/login"))


async def test_without_any_way_in_the_client_says_so(clients: WebClients) -> None:
    context = await clients.context()
    await configured(context, login_url=None, dev_tokens=False)
    page = await clients.page(context)
    await page.goto(clients.url)
    await expect(page.get_by_role("heading")).to_have_text("There is no way to sign in here")


async def hosted(clients: WebClients, user: int, names: dict[int, str]) -> Page:
    """Opens a page of another origin that embeds the client, as an application would."""
    context = await clients.context()
    origin = clients.url.replace("127.0.0.1", "localhost")
    html = HOST_PAGE.format(
        client=clients.url,
        origin=json.dumps(clients.url),
        token=json.dumps(clients.stack.token(user)),
        names=json.dumps(names),
    )
    await serve(context, f"{origin}/host", html)
    page = await clients.page(context)
    await page.goto(f"{origin}/host")
    return page


async def signing_in(clients: WebClients) -> Page:
    """Opens the client where it redirects to the login page."""
    context = await clients.context()
    await configured(context, login_url="/login", dev_tokens=False)
    await serve(context, f"{clients.url}/login?*", "<title>Sign in</title>")
    page = await clients.page(context)
    await page.goto(clients.url)
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
