"""Searches the user's messages, page after page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal, cast

from messenger_sdk.models import SearchHit, SearchPage
from messenger_sdk.rest import PAGE_ITEMS, Rest

_PATH = "/search/messages"
Has = Literal["file", "link"]


def search_query(
    q: str,
    *,
    conversation_id: str | None,
    from_user: int | None,
    before: datetime | str | None,
    after: datetime | str | None,
    has: Has | None,
) -> dict[str, str]:
    """Returns the query of the request, without what is None."""
    fields = {
        "q": q,
        "conversation_id": conversation_id,
        "from": from_user,
        "before": _moment(before),
        "after": _moment(after),
        "has": has,
    }
    return {name: str(value) for name, value in fields.items() if value is not None}


async def search(rest: Rest, query: dict[str, str]) -> AsyncIterator[SearchHit]:
    """Yields the hits of all pages. A page may be partial, even empty, and others follow it all the same."""
    wanted = {**query, "limit": str(PAGE_ITEMS)}
    while True:
        page = cast(SearchPage, await rest.request("GET", _PATH, query=wanted))
        for hit in page["items"]:
            yield hit
        if page["next_cursor"] is None:
            return
        wanted["cursor"] = page["next_cursor"]


def _moment(moment: datetime | str | None) -> str | None:
    """Returns the time as text. Raises ValueError for one without an offset, which could be any time."""
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo is None:
        raise ValueError("a time needs a time zone")
    return moment.isoformat()
