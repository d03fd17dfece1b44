"""Finds conversations by the words of their titles."""

from __future__ import annotations

import asyncio
from typing import Final

import orjson

from chat_api.search.matching import Words
from messenger_shared.contract.text.fold import fold
from messenger_shared.postgres.database import Database

_TITLES: Final = "SELECT titles::text FROM messenger.my_titles(%s, %s)"
# Folding so many takes about a millisecond.
_AT_ONCE: Final = 500


class PgTitles:
    """A TitleStore in PostgreSQL. Titles are few enough to look at each of a user's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self, caller: int, words: Words, before: tuple[int, str] | None, limit: int
    ) -> list[tuple[int, str]]:
        parameters = (_AT_ONCE, before[0] if before else None)
        found: list[tuple[int, str]] = []
        for (titles,) in await self._database.rows(_TITLES, parameters, user_id=caller):
            for activity, id_, title in orjson.loads(titles):
                if (before is None or (activity, id_) < before) and words.are_in([fold(title)]):
                    found.append((activity, id_))
                    if len(found) == limit:
                        return found
            # Lets others work in between.
            await asyncio.sleep(0)
        return found
