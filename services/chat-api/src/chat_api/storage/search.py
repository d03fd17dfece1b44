"""Reads the search index and the messages that a search may find."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any, Final

from chat_api.search.grams import conversation_gram
from chat_api.search.query import Message, Moment, Query
from chat_api.search.store import Block, Group, Lag, Scope
from chat_api.search.walks.work import DISORDER_US
from chat_api.storage.messages import HISTORY_COLUMNS, HISTORY_JOIN, VISIBLE, to_history_message
from messenger_shared.contract.operations.search import FILE
from messenger_shared.postgres.database import Database, Row

# Blocks that one look-up returns, and how many of anybody's blocks a rare word may have.
LOOK_UP_MAX: Final = 256
RARE_MAX: Final = 2_000
# The most active conversations come first, alone, since most searches need no others.
FIRST_GROUP, GROUP = 32, 128
_MICROSECONDS: Final = "(extract(epoch FROM {}) * 1000000)::bigint"
_MOMENT: Final = "(timestamptz 'epoch' + %({})s::bigint * interval '1 microsecond')"
_SCOPE: Final = f"""
WITH mine AS MATERIALIZED (
    SELECT s.id::text, {_MICROSECONDS.format("s.active_at")} AS active, s.indexed_pos, s.last_pos,
           row_number() OVER (ORDER BY s.active_at DESC, s.id) + %(group)s - %(first_group)s - 1 AS place
      FROM messenger.my_search_state(%(conversation)s::uuid, %(after)s::uuid, %(at_most)s) s
)
SELECT max(active), string_agg(id, ',' ORDER BY place), NULL, NULL FROM mine GROUP BY place / %(group)s
UNION ALL
SELECT active, id, indexed_pos, last_pos FROM mine WHERE last_pos > indexed_pos
"""
_BLOCK: Final = f"{_MICROSECONDS.format('newest_at')}, conversation_id::text, first_seq, last_seq"
# What every look-up of blocks asks for.
_WANTED: Final = f"%(grams)s::integer[], %(after)s::timestamptz, {_MOMENT.format('up_to')}"
_BLOCKS: Final = f"""
SELECT {_BLOCK}
  FROM messenger.search_blocks_in(%(conversations)s::uuid[], %(own_grams)s::integer[], {_WANTED}) b
"""
_NEWEST_BLOCKS: Final = f"""{_BLOCKS}
 WHERE %(below_at)s IS NULL
    OR (b.newest_at, b.conversation_id, b.first_seq)
       < ({_MOMENT.format("below_at")}, %(below_conversation)s::uuid, %(below_seq)s)
 ORDER BY b.newest_at DESC, b.conversation_id DESC, b.first_seq DESC LIMIT %(most)s
"""
_NEXT_BLOCKS: Final = f"""{_BLOCKS}
 WHERE %(from_conversation)s IS NULL
    OR (b.conversation_id, b.first_seq) > (%(from_conversation)s::uuid, %(from_seq)s)
 ORDER BY b.conversation_id, b.first_seq LIMIT %(most)s
"""
_RARE_BLOCKS: Final = f"SELECT {_BLOCK} FROM messenger.rare_search_blocks({_WANTED}, %(most)s)"
_STARTS: Final = f"""
SELECT {_MICROSECONDS.format("created_at")}, conversation_id::text, seq, seq
  FROM messenger.search_starts(%(conversations)s::uuid[], {_MOMENT.format("up_to")})
"""
# Lets a conversation b through that history shows the user. Row-level security alone shows them also what
# they wrote in others.
_MEMBER: Final = """
 CROSS JOIN LATERAL (SELECT FROM messenger.conversation_participants p
                       JOIN messenger.conversations c ON c.id = p.conversation_id
                      WHERE p.conversation_id = b.conversation_id AND p.user_id = %(user)s
                        AND p.left_at IS NULL AND c.deleted_at IS NULL LIMIT 1) member"""
_PASSES: Final = f"""m.deleted_at IS NULL
   AND (%(sender)s IS NULL OR m.sender_id = %(sender)s)
   AND (%(after)s IS NULL OR m.created_at > %(after)s)
   AND (%(before)s IS NULL OR m.created_at < %(before)s)
   AND (%(conversation)s IS NULL OR m.conversation_id = %(conversation)s)
   AND (NOT %(has_file)s OR m.file_url IS NOT NULL OR m.attachments IS NOT NULL)
   AND {VISIBLE}"""
_BELOW: Final = (
    f"(%(below_at)s IS NULL OR (m.created_at, m.id) < ({_MOMENT.format('below_at')}, %(below_id)s::uuid))"
)
_MESSAGE: Final = f"""
{_MICROSECONDS.format("m.created_at")}, m.id::text, m.content,
       CASE WHEN m.attachments IS NOT NULL OR m.file_name IS NOT NULL THEN
           m.file_name || ARRAY(SELECT file ->> 'name' FROM jsonb_array_elements(m.attachments) AS file)
       END"""
# Texts of moments and names are made for those alone that are returned.
_MESSAGES: Final = f"""
SELECT {_MESSAGE}
  FROM (SELECT m.*
          FROM unnest(%(conversations)s::uuid[], %(firsts)s::bigint[], %(lasts)s::bigint[],
                      %(newest)s::bigint[]) AS b (conversation_id, first_seq, last_seq, newest_at)
         CROSS JOIN LATERAL (
               SELECT * FROM messenger.messages x
                WHERE x.conversation_id = b.conversation_id
                  AND x.seq BETWEEN b.first_seq AND b.last_seq OFFSET 0) m
         WHERE m.created_at <= timestamptz 'epoch' + b.newest_at * interval '1 microsecond'
           AND {_BELOW} AND {_PASSES}
         ORDER BY m.created_at DESC, m.id DESC LIMIT %(most)s) m
"""
_CHANGED: Final = f"""
SELECT {_MESSAGE}
  FROM unnest(%(conversations)s::uuid[], %(positions)s::bigint[]) AS b (conversation_id, pos)
 CROSS JOIN LATERAL (SELECT * FROM messenger.messages x
                      WHERE x.conversation_id = b.conversation_id AND x.pos > b.pos OFFSET 0) m
 WHERE {_BELOW} AND {_PASSES}
"""
_TIMES: Final = f"""
SELECT m.conversation_id::text, m.seq, {_MICROSECONDS.format("m.created_at")}
  FROM unnest(%(conversations)s::uuid[], %(seqs)s::bigint[]) AS b (conversation_id, seq)
 CROSS JOIN LATERAL (SELECT * FROM messenger.messages x
                      WHERE x.conversation_id = b.conversation_id AND x.seq = b.seq OFFSET 0) m
"""
_BY_ID: Final = f"""
SELECT {_MICROSECONDS.format("m.created_at")}, {HISTORY_COLUMNS}
  FROM messenger.messages m CROSS JOIN LATERAL (SELECT m.conversation_id) b {_MEMBER} {HISTORY_JOIN}
 WHERE m.id = ANY (%(ids)s::uuid[]) AND {_PASSES} ORDER BY m.created_at DESC, m.id DESC
"""


class PgSearch:
    """A SearchStore in PostgreSQL. Give it a database of its own, so that searches don't hold up others."""

    def __init__(
        self,
        database: Database,
        *,
        look_up_max: int = LOOK_UP_MAX,
        rare_max: int = RARE_MAX,
        first_group: int = FIRST_GROUP,
        group: int = GROUP,
    ) -> None:
        self._database = database
        self._look_up_max = look_up_max
        self._rare_max = rare_max
        self._groups = {"first_group": first_group, "group": group}

    async def scope(
        self, query: Query, caller: int, seconds: float, after: str | None, at_most: int | None
    ) -> Scope:
        parameters = {"conversation": query.conversation_id, "after": after, "at_most": at_most}
        parameters |= self._groups
        groups: list[Group] = []
        lags: list[tuple[int, Lag]] = []
        for active, ids, indexed_pos, last_pos in await self._rows(_SCOPE, caller, seconds, parameters):
            if last_pos is None:
                groups.append(Group(active, ids.split(",")))
            else:
                lags.append((active, Lag(ids, indexed_pos, last_pos)))
        return Scope(sorted(groups, reverse=True), lags)

    async def newest_blocks(
        self,
        query: Query,
        caller: int,
        seconds: float,
        conversation_ids: Sequence[str],
        below: Moment | None,
        after: Block | None,
    ) -> tuple[list[Block], bool]:
        parameters = _wanted(query, below, conversation_ids) | {
            "below_at": after and after.newest_at,
            "below_conversation": after and after.conversation_id,
            "below_seq": after and after.first_seq,
            "most": self._look_up_max,
        }
        rows = await self._rows(_NEWEST_BLOCKS, caller, seconds, parameters)
        return [Block(*row) for row in rows], len(rows) == self._look_up_max

    async def next_blocks(
        self,
        query: Query,
        caller: int,
        seconds: float,
        conversation_ids: Sequence[str],
        below: Moment | None,
        after: tuple[str, int] | None,
    ) -> tuple[list[Block], bool]:
        from_conversation, from_seq = after or (None, None)
        parameters = _wanted(query, below, conversation_ids) | {
            "from_conversation": from_conversation,
            "from_seq": from_seq,
            "most": self._look_up_max,
        }
        rows = await self._rows(_NEXT_BLOCKS, caller, seconds, parameters)
        return [Block(*row) for row in rows], len(rows) == self._look_up_max

    async def rare_blocks(
        self, query: Query, caller: int, seconds: float, below: Moment | None
    ) -> list[Block] | None:
        parameters = _wanted(query, below) | {"most": self._rare_max}
        rows = await self._rows(_RARE_BLOCKS, caller, seconds, parameters)
        return None if any(row[1] is None for row in rows) else [Block(*row) for row in rows]

    async def starts(
        self, caller: int, seconds: float, conversation_ids: Sequence[str], below: Moment | None
    ) -> list[Block]:
        parameters = {"conversations": list(conversation_ids), "up_to": _up_to(below)}
        return [Block(*row) for row in await self._rows(_STARTS, caller, seconds, parameters)]

    async def messages(
        self,
        query: Query,
        caller: int,
        seconds: float,
        blocks: Sequence[Block],
        below: Moment | None,
        most: int | None = None,
    ) -> list[Message]:
        parameters = {
            "newest": [block.newest_at for block in blocks],
            "most": most,
            "conversations": [block.conversation_id for block in blocks],
            "firsts": [block.first_seq for block in blocks],
            "lasts": [block.last_seq for block in blocks],
        }
        return await self._messages(_MESSAGES, query, caller, seconds, below, parameters)

    async def changed(
        self, query: Query, caller: int, seconds: float, lags: Sequence[Lag], below: Moment | None
    ) -> list[Message]:
        parameters = {
            "conversations": [lag.conversation_id for lag in lags],
            "positions": [lag.indexed_pos for lag in lags],
        }
        return await self._messages(_CHANGED, query, caller, seconds, below, parameters)

    async def times(
        self, caller: int, seconds: float, places: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], int]:
        parameters = {"conversations": [id_ for id_, _ in places], "seqs": [seq for _, seq in places]}
        rows = await self._rows(_TIMES, caller, seconds, parameters)
        return {(id_, seq): at for id_, seq, at in rows}

    async def by_id(
        self, query: Query, caller: int, ids: Sequence[str]
    ) -> list[tuple[Moment, dict[str, Any]]]:
        parameters = {"ids": list(ids), "user": caller, **_filters(query)}
        rows = await self._database.rows(_BY_ID, parameters, user_id=caller)
        return [((row[0], row[1]), to_history_message(row[1:])) for row in rows]

    async def _messages(
        self,
        sql: str,
        query: Query,
        caller: int,
        seconds: float,
        below: Moment | None,
        parameters: dict[str, Any],
    ) -> list[Message]:
        below_at, below_id = below or (None, None)
        parameters |= {"user": caller, "below_at": below_at, "below_id": below_id, **_filters(query)}
        rows = await self._rows(sql, caller, seconds, parameters)
        return [Message((at, id_), content, names or ()) for at, id_, content, names in rows]

    async def _rows(self, sql: str, caller: int, seconds: float, parameters: dict[str, Any]) -> list[Row]:
        """The rows of a statement that ends after `seconds`. The limit is set in the same round trip."""
        # Rounded up: a statement that ends before the time of its search would count as failed.
        limit = f"SELECT set_config('statement_timeout', '{max(1, ceil(seconds * 1_000))}', true);"
        return await self._database.rows(limit + sql, parameters, user_id=caller)


def _up_to(below: Moment | None) -> int | None:
    """No message that is sought is later, nor is one of a lower seq in its conversation."""
    return None if below is None else below[0] + DISORDER_US


def _wanted(query: Query, below: Moment | None, conversation_ids: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "grams": query.grams,
        "after": query.after,
        "up_to": _up_to(below),
        "conversations": list(conversation_ids),
        "own_grams": [conversation_gram(id_) for id_ in conversation_ids],
    }


def _filters(query: Query) -> dict[str, Any]:
    return {
        "sender": query.sender_id,
        "after": query.after,
        "before": query.before,
        "conversation": query.conversation_id,
        "has_file": query.has == FILE,
    }
