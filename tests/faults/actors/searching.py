"""Searches over REST, until all pages are there."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any
from urllib.parse import urlencode

from tests.faults.actors.device import Device
from tests.faults.actors.gateway_client import GONE, Reply
from tests.faults.record.history import Hit, Search

# A user may search five times a second.
_PAUSE_S = 0.25
_WORD = 8
_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xAC00, 0xD7A3


def new_word(random: Random) -> str:
    """Returns a word that no other text has: of Korean syllables, whose pairs no other text has either."""
    return "".join(chr(random.randrange(_FIRST_SYLLABLE, _LAST_SYLLABLE + 1)) for _ in range(_WORD))


def word_of(content: str) -> str:
    """Returns the word of a message's text that no other text has."""
    return content.split()[-1]


async def search(device: Device, word: str) -> Search:
    """Searches for a word as the device's user, and again while it is unavailable or too often."""
    while True:
        asked_at = device.history.now()
        hits = await _pages(device, word)
        if hits is not None:
            return Search(device.device_id[0], word, asked_at, device.history.now(), hits)
        await asyncio.sleep(_PAUSE_S)


async def _pages(device: Device, word: str) -> tuple[Hit, ...] | None:
    """Returns what all pages have; None if the search has to begin again."""
    hits: list[Hit] = []
    query = {"q": word}
    while True:
        reply = await _ask(device, query)
        if reply is None or reply.status != 200:
            return None
        hits += map(_hit, reply.body["items"])
        if reply.body["next_cursor"] is None:
            return tuple(hits)
        query["cursor"] = reply.body["next_cursor"]
        await asyncio.sleep(_PAUSE_S)


async def _ask(device: Device, query: dict[str, str]) -> Reply | None:
    try:
        return await device.gateway.call("GET", f"/search/messages?{urlencode(query)}", device.token)
    except GONE:
        return None


def _hit(item: dict[str, Any]) -> Hit:
    return Hit(item["conversation_id"], item["message"]["id"], item["message"].get("content"))
