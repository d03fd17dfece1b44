"""People with names and pictures, for tests of the web client: what their host application does."""

from __future__ import annotations

import base64
from typing import Any

from playwright.async_api import BrowserContext, Locator, Page, Route

from tests.browser.client import WebClients
from tests.client import User

PICTURES = "https://pictures.example"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def name(host: User, user: int, name: str, **fields: Any) -> None:
    """Sets the name, and other fields, of a user's profile."""
    reply = await host.call("PUT", "/server/users", body={"users": [{"id": user, "name": name, **fields}]})
    assert reply.status == 200, reply


async def with_pictures(clients: WebClients, **options: Any) -> tuple[BrowserContext, list[dict[str, str]]]:
    """Returns a context with a server of pictures, without `broken.png`, and its requests' headers."""
    context = await clients.context(**options)
    requests: list[dict[str, str]] = []

    async def answer(route: Route) -> None:
        requests.append(await route.request.all_headers())
        if route.request.url.endswith("broken.png"):
            await route.fulfill(status=404)
        else:
            await route.fulfill(body=PNG, content_type="image/png")

    await context.route(f"{PICTURES}/**", answer)
    return context, requests


def item(page: Page, title: str) -> Locator:
    """Returns the conversation in the list."""
    return page.get_by_role("navigation").get_by_role("button", name=title)
