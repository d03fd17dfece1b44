"""Rebuilds the search index while everything goes on: python -m chat_api.reindex [--after CONVERSATION].

Each conversation is taken from the feed for some moments, and its blocks are written anew from its messages.
A repeat does no harm. What was printed last says where an interrupted run may go on.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from typing import Final, NamedTuple

import psycopg2
from psycopg2.extensions import cursor as Cursor

from chat_api.feed.cursors import CLAIM, FIRST_ID, LEASE_S
from chat_api.search import index
from chat_api.search.blocks import Block
from chat_api.search.layout import RUN, changed_blocks
from messenger_shared.contract.identifiers import new_id

_CONNECT_TIMEOUT_S: Final = 10
_PAGE: Final = 1_000
_TOGETHER: Final = 50
_MESSAGES: Final = 8_192
_BUSY_S: Final = 0.2
_PROGRESS_S: Final = 2.0
_IDS: Final = "SELECT id::text FROM messenger.conversations WHERE id > %s ORDER BY id LIMIT %s"
_FACTS: Final = """
SELECT id::text, last_seq, deleted_at IS NOT NULL FROM messenger.conversations WHERE id = ANY (%s::uuid[])
"""


class Remainder(NamedTuple):
    """A conversation whose blocks up to `done` are rebuilt."""

    conversation_id: str
    done: int = 0


def rebuild(cursor: Cursor, after: str = FIRST_ID) -> Iterator[tuple[str, int]]:
    """Rebuilds the index of all conversations after this id, in the order of ids.

    After each page of conversations: the last one's id, and how many messages were read for the page. The
    statements of `cursor` must be transactions of their own.
    """
    cursor.execute("SET ROLE messenger_definer")
    while True:
        cursor.execute(_IDS, (after, _PAGE))
        ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return
        after = ids[-1]
        yield after, _rebuild_all(cursor, ids)


def _rebuild_all(cursor: Cursor, ids: list[str]) -> int:
    messages = 0
    waiting = deque(map(Remainder, ids))
    while waiting:
        together = [waiting.popleft() for _ in range(min(_TOGETHER, len(waiting)))]
        remaining, count = _rebuild_some(cursor, together)
        messages += count
        if remaining == together:
            # The feed works on all of these.
            time.sleep(_BUSY_S)
        waiting.extend(remaining)
    return messages


def _rebuild_some(cursor: Cursor, together: list[Remainder]) -> tuple[list[Remainder], int]:
    """Rebuilds up to _MESSAGES of these. Returns what remains, and how many messages were read."""
    token = new_id()
    at_most = _MESSAGES // len(together) // RUN * RUN
    ids = [remainder.conversation_id for remainder in together]
    cursor.execute(CLAIM, (index.CONSUMER, ids, token, LEASE_S, True))
    positions = {row[0]: row[2] for row in cursor.fetchall() if row[1]}
    # While they are taken, nobody else writes their blocks, whatever is sent.
    cursor.execute(_FACTS, (list(positions),))
    facts = {id_: (last_seq, is_closed) for id_, last_seq, is_closed in cursor.fetchall()}
    places: list[index.Place] = []
    reached: dict[str, Remainder | None] = {}
    for id_, done in together:
        if id_ in facts:
            last_seq, is_closed = facts[id_]
            upto = 0 if is_closed else min(last_seq, done + at_most)
            places += [(id_, range_) for range_ in changed_blocks([], range(done + 1, upto + 1))]
            reached[id_] = Remainder(id_, upto) if not is_closed and upto < last_seq else None
    closed = [id_ for id_, (_, is_closed) in facts.items() if is_closed]
    held = _write(cursor, token, positions, closed, places)
    remaining = [reached[row.conversation_id] if row.conversation_id in held else row for row in together]
    return [row for row in remaining if row is not None], sum(map(_size, places))


def _write(
    cursor: Cursor, token: str, positions: dict[str, int], closed: list[str], places: list[index.Place]
) -> set[str]:
    """Writes the blocks of these places. Returns the conversations that nobody has taken over meanwhile."""
    blocks: list[Block] = []
    for portion in index.portions(places):
        cursor.execute(index.TEXTS, index.texts_parameters(portion))
        blocks += index.blocks_of(portion, cursor.fetchall())
    cursor.execute(index.WRITE, index.write_parameters(token, positions, closed, blocks))
    return {row[0] for row in cursor.fetchall()}


def _size(place: index.Place) -> int:
    return place[1].last - place[1].first + 1


def run(url: str, after: str = FIRST_ID) -> int:
    """Rebuilds the index and prints the progress. Returns the exit code."""
    begun = told = time.monotonic()
    messages = 0
    try:
        with closing(psycopg2.connect(url, connect_timeout=_CONNECT_TIMEOUT_S)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for last, count in rebuild(cursor, after):
                    messages += count
                    if time.monotonic() - told >= _PROGRESS_S:
                        told = time.monotonic()
                        print(f"{messages} messages, up to conversation {last}", flush=True)
    except psycopg2.Error as error:
        print(f"the index was not rebuilt: {str(error).strip().splitlines()[0]}", file=sys.stderr)
        return 1
    print(f"the index is rebuilt: {messages} messages in {time.monotonic() - begun:.0f} s")
    return 0


def main() -> int:
    """Runs `python -m chat_api.reindex`. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m chat_api.reindex", description="Rebuilds the search index while everything goes on."
    )
    parser.add_argument(
        "--after", default=FIRST_ID, metavar="CONVERSATION", help="go on after this conversation"
    )
    options = parser.parse_args()
    url = os.environ.get("MESSENGER_DATABASE_URL")
    if not url:
        print("MESSENGER_DATABASE_URL is not set", file=sys.stderr)
        return 1
    return run(url, options.after)


if __name__ == "__main__":
    sys.exit(main())
