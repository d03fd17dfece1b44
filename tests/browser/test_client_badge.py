"""The badge of the installed web client: it is what is known, and goes with the user."""

from __future__ import annotations

import asyncio
from typing import Final

from playwright.async_api import Route, expect

from tests.browser.client import WebClients, new_user
from tests.browser.pushes import pushes_to, shows, worker_of
from tests.browser.whole_browser import whole_browser as whole_browser
from tests.waiting import eventually

# No window of a test is an installed app, so what the page wants is noted down.
NOTES: Final = """
  const note = async (badge) => { localStorage.badges = `${localStorage.badges ?? ''}${badge} `; };
  Navigator.prototype.setAppBadge = note;
  Navigator.prototype.clearAppBadge = () => note('none');
"""
NOTED: Final = "localStorage.badges ?? ''"


async def test_the_badge_waits_for_the_list_and_goes_with_the_user(clients: WebClients) -> None:
    one, other = new_user(), new_user()
    room = await clients.group("Counted", one, other)
    await (await clients.api_user(other)).post(f"/conversations/{room}/messages", {"content": "hello"})
    context = await clients.context(permissions=["notifications"], service_workers="allow")
    await context.add_init_script(NOTES)
    may_load = asyncio.Event()

    async def load(route: Route) -> None:
        await may_load.wait()
        await route.continue_()

    await context.route("**/api/v1/messenger/conversations?*", load)
    chat = await clients.chat(one, context)
    # What sets the badge also starts the worker.
    await worker_of(chat)
    assert await chat.page.evaluate(NOTED) == ""
    may_load.set()

    async def is_noted(badges: str) -> bool:
        return bool(await chat.page.evaluate(NOTED) == badges)

    await eventually(lambda: is_noted("1 "))
    pushes = await pushes_to(chat)
    await pushes.deliver(type="test", badge=1)
    await shows(chat.page, "Notifications reach this device.")
    await chat.open_dialog("Menu")
    await chat.page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    await expect(chat.page.get_by_role("heading", name="Who are you?")).to_be_visible()
    await eventually(lambda: is_noted("1 none "))
    await shows(chat.page)
