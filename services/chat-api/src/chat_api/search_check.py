"""Compares the search index with the messages: which blocks there are, and the grams of a sample of them."""

from __future__ import annotations

from typing import Any, Final

from psycopg2.extensions import cursor as Cursor

from chat_api.audit_rule import Rule, violations
from chat_api.search import index
from chat_api.search.layout import RUN, Range

SAMPLE: Final = 1_000
RULES: Final = (
    Rule(
        "every message up to the cursor of search is in exactly one block",
        f"""SELECT m.conversation_id, m.seq, count(b.first_seq) FROM messenger.feed_cursors f
              JOIN messenger.conversations c ON c.id = f.conversation_id AND c.deleted_at IS NULL
              JOIN messenger.messages m ON m.conversation_id = c.id AND m.pos <= f.pos
              LEFT JOIN messenger.search_blocks b ON b.conversation_id = c.id
                   AND b.first_seq > m.seq - {RUN} AND b.first_seq <= m.seq AND b.last_seq >= m.seq
             WHERE f.consumer = '{index.CONSUMER}'
             GROUP BY 1, 2 HAVING count(b.first_seq) <> 1 ORDER BY 1, 2""",
    ),
    Rule(
        "a block of the search index is within a run of messages that there are",
        f"""SELECT b.conversation_id, b.first_seq, b.last_seq
              FROM messenger.search_blocks b LEFT JOIN messenger.conversations c ON c.id = b.conversation_id
             WHERE (b.first_seq - 1) / {RUN} <> (b.last_seq - 1) / {RUN} OR b.last_seq < b.first_seq
                OR b.last_seq > coalesce(c.last_seq, 0) ORDER BY 1, 2""",
    ),
)
_SAMPLE_RULE: Final = "a block of the search index has the grams of its messages, and no others"
# Only where the index is up to date: elsewhere, messages may have changed since.
_SAMPLE: Final = f"""
SELECT b.conversation_id::text, b.first_seq, b.last_seq, b.newest_at, b.grams
  FROM messenger.search_blocks b
  JOIN messenger.conversations c ON c.id = b.conversation_id
  JOIN messenger.feed_cursors f ON f.consumer = '{index.CONSUMER}' AND f.conversation_id = c.id
                               AND f.pos = c.last_pos
 ORDER BY random() LIMIT {SAMPLE}
"""


def compare_index(cursor: Cursor) -> list[str]:
    """One line per violation. All statements must see the same snapshot."""
    found: list[str] = []
    for rule in RULES:
        cursor.execute(rule.query)
        found += violations(rule.name, cursor.fetchall())
    return found + violations(_SAMPLE_RULE, _wrong_blocks(cursor))


def _wrong_blocks(cursor: Cursor) -> list[tuple[Any, ...]]:
    """Where blocks are wrong: how many grams are missing, and how many too many."""
    cursor.execute(_SAMPLE)
    stored = {(row[0], Range(*row[1:3])): row[3:] for row in cursor.fetchall()}
    wrong = []
    for portion in index.portions(stored):
        cursor.execute(index.TEXTS, index.texts_parameters(portion))
        for block in index.blocks_of(portion, cursor.fetchall()):
            newest_at, grams = stored[block.conversation_id, block.range]
            missing, stale = len(block.grams - set(grams)), len(set(grams) - block.grams)
            if missing or stale or newest_at != block.newest_at:
                wrong.append((block.conversation_id, *block.range, f"{missing} missing, {stale} stale"))
    return wrong
