"""Searches in random conversations find what a plain look at every message finds, in the same order.

MESSENGER_SEARCH_QUERIES says how many queries are made. The index has followed the conversations to random
places, and the time for a request is often so short that it does as little as it may.
"""

from __future__ import annotations

import os
import random
from typing import Any, Final

import psycopg2
import pytest

from chat_api.feed import indexer
from chat_api.feed.cursors import PgCursors
from chat_api.feed.held_lease import HeldLease
from chat_api.feed.indexer import Indexer
from chat_api.search import cursor
from chat_api.search.grams import initials
from chat_api.search.query import Message, Query
from chat_api.search.searching import Searcher
from chat_api.search.walks import finder
from chat_api.storage.search import PgSearch
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import new_id
from messenger_shared.contract.text.fold import fold
from messenger_shared.postgres.database import Database
from tests.integration.search_world import VOCABULARY, SeenMessage, World, expected

QUERIES: Final = int(os.environ.get("MESSENGER_SEARCH_QUERIES", "200"))
PER_WORLD: Final = 50
# No search of so few messages needs more requests.
REQUESTS_MAX: Final = 1_000


class Cut(PgSearch):
    """One for whose statements the time sometimes isn't enough."""

    is_cut = False

    async def messages(self, *arguments: Any) -> list[Message]:
        if self.is_cut:
            raise AppError(errors.UNAVAILABLE)
        return await super().messages(*arguments)


async def test_searches_find_what_a_plain_look_at_every_message_finds(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = psycopg2.connect(database_url)
    owner.autocommit = True
    hits = pages = 0
    for seed in range(max(1, QUERIES // PER_WORLD)):
        chance = random.Random(seed)
        world = World(owner, seed)
        for _ in range(3):
            world.live()
            monkeypatch.setattr(indexer, "_CHANGES_MAX", chance.choice((20, 300, 5_000)))
            await follow(database, chance, world)
        for number in range(PER_WORLD):
            monkeypatch.setattr(finder, "FIRST", chance.choice((1, 10, finder.STEP)))
            user = chance.choice((*world.users, *world.users, 1))
            seen = world.seen_by(user)
            query = some_query(chance, world, seen)
            found, requests = await search(database, chance, query, user)
            assert found == expected(seen, query), (seed, number, user, query)
            hits += len(found)
            pages += requests
    owner.close()
    # Otherwise the comparison proves little.
    assert hits > QUERIES
    assert pages > 2 * QUERIES


async def follow(database: Database, chance: random.Random, world: World) -> None:
    """Indexes some of what has changed in some of the conversations."""
    ids = [id_ for id_ in world.conversations if chance.random() < 0.7]
    cursors, token = PgCursors(database, Indexer.name), new_id()
    claimed = await cursors.claim(ids, token)
    if claimed.claims:
        await Indexer(database).handle(claimed.claims, HeldLease(cursors, token))


def some_query(chance: random.Random, world: World, seen: list[SeenMessage]) -> Query:
    """A query that often finds something, with some filters."""
    text = chance.choice(VOCABULARY)
    if seen and chance.random() < 0.7:
        message = chance.choice(seen)
        text = fold(message.content or message.file_name or text)
        start = chance.randrange(len(text))
        text = text[start : start + chance.choice((2, 2, 3, 5, 64))]
    if chance.random() < 0.2:
        text = initials(fold(text))
    if chance.random() < 0.2:
        text = f"{text} {chance.choice(VOCABULARY)}"
    if len(fold(text[:64]).strip()) < 2:
        text = "a 가"
    times = [time.isoformat() for time in world.times]
    return Query.of(
        {
            "q": text[:64].strip(),
            "conversation_id": chance.choice(world.conversations) if chance.random() < 0.2 else None,
            "from": chance.choice(world.users) if chance.random() < 0.2 else None,
            "has": chance.choice(("file", "link")) if chance.random() < 0.15 else None,
            "after": chance.choice(times) if chance.random() < 0.15 else None,
            "before": chance.choice(times) if chance.random() < 0.15 else None,
        }
    )


async def search(database: Database, chance: random.Random, query: Query, user: int) -> tuple[list[str], int]:
    """Returns the ids of all pages, and how many requests they took."""
    store = Cut(
        database,
        look_up_max=chance.choice((2, 5, 256)),
        rare_max=chance.choice((0, 5, 2_000)),
        **chance.choice(({}, {"first_group": 1, "group": 1}, {"first_group": 1, "group": 2})),
    )
    budget_s = chance.choice((0, 1, 1, 1))
    searcher = Searcher(store, budget_s=budget_s, round_size=chance.choice((1, 3, 512)))
    # Without any time, a request does one step, and a round brings no more than eight messages.
    limit = chance.choice((3, 50)) if budget_s else 50
    position = None
    found: list[str] = []
    for request in range(1, REQUESTS_MAX):
        store.is_cut = not budget_s and (position is None or position.round is None) and chance.random() < 0.2
        result = await searcher.search(query, user, position, limit)
        assert len(result.found) <= limit
        found += [message["id"] for _, message in result.found]
        if result.following is None:
            assert not result.partial
            return found, request
        position = cursor.decode(cursor.encode(result.following, query, user), query, user)
    raise AssertionError(f"{query} has no end: {position}")
