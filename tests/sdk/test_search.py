"""The SDK's search: page after page, with the filters of the route."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from messenger_sdk import Client
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd


class Pages:
    """A server with these pages of hits, one after the other."""

    def __init__(self, *pages: dict[str, Any]) -> None:
        self.asked: list[dict[str, str]] = []
        self._pages = list(pages)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        return web.json_response(self._pages.pop(0))


def page(*ids: int, cursor: str | None = None, partial: bool = False) -> dict[str, Any]:
    items = [{"message": {"id": str(id_)}, "conversation_id": "c", "highlights": []} for id_ in ids]
    return {
        "items": items,
        "users": {},
        "has_more": cursor is not None,
        "next_cursor": cursor,
        "partial": partial,
    }


@pytest.fixture
def pages() -> Pages:
    return Pages(page(1, 2, cursor="a"), page(cursor="b", partial=True), page(3, cursor="c"), page(4))


@pytest.fixture
async def sdk(pages: Pages) -> AsyncIterator[Client]:
    app = web.Application()
    app.router.add_get("/api/v1/messenger/search/messages", pages.answer)
    async with TestServer(app) as server:
        client = Client(str(server.make_url("")), lambda: "token")
        yield client
        await client.close()


async def test_it_goes_on_after_a_page_that_is_partial_and_ends_with_the_last(
    sdk: Client, pages: Pages
) -> None:
    found = [hit["message"]["id"] async for hit in sdk.search("회의", conversation_id="c", from_user=7)]
    assert found == ["1", "2", "3", "4"]
    assert [asked.get("cursor") for asked in pages.asked] == [None, "a", "b", "c"]
    for asked in pages.asked:
        assert (asked["q"], asked["conversation_id"], asked["from"]) == ("회의", "c", "7")


async def test_it_asks_for_no_page_that_nobody_wants(sdk: Client, pages: Pages) -> None:
    async for _ in sdk.search("회의"):
        break
    assert len(pages.asked) == 1
    assert pages.asked[0].keys() == {"q", "limit"}


async def test_a_time_is_sent_with_its_offset_and_needs_one(sdk: Client, pages: Pages) -> None:
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    async for _ in sdk.search("회의", before=moment, after="2025-01-01T00:00:00Z", has="file"):
        pass
    assert pages.asked[0]["before"] == "2026-01-02T03:04:00+00:00"
    assert (pages.asked[0]["after"], pages.asked[0]["has"]) == ("2025-01-01T00:00:00Z", "file")
    with pytest.raises(ValueError, match="time zone"):
        sdk.search("회의", before=datetime(2026, 1, 2))


async def test_a_bot_finds_what_was_said(crowd: Crowd, stack: SharedStack) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    for user, text in ((one, "내일 회의 자료입니다"), (two, "회의 끝"), (two, "점심")):
        await user.post(f"/conversations/{room}/messages", {"content": text})
    client = Client(stack.url, lambda: one.token)
    try:
        assert [hit["message"]["content"] async for hit in client.search("ㅎㅇ")] == [
            "회의 끝",
            "내일 회의 자료입니다",
        ]
        found = [hit async for hit in client.search("회의", from_user=one.user_id, conversation_id=room)]
    finally:
        await client.close()
    [hit] = found
    assert (hit["conversation_id"], hit["highlights"]) == (room, [[3, 2]])
