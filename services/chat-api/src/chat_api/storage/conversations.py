"""Owns the SQL on conversations and their members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from chat_api.model import ConversationData, Membership, NewConversation
from chat_api.rules.permissions import Action, require
from chat_api.storage.messages import MESSAGE_COLUMNS, SEEN, to_message
from chat_api.storage.participants import locked_standing
from chat_api.storage.receipts import UNREAD
from chat_api.storage.settings import NOW_MUTED
from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.postgres import Database, Row

DESCRIBED_MEMBERS: Final = 100

# Two statements, one transaction: row-level security lets the creator fill what he has just created. A direct
# conversation that exists already wins, also against a creation at the same moment; then nothing is kept.
_CREATE: Final = """
INSERT INTO messenger.conversations (id, type, title, created_by, last_pos, direct_key)
VALUES (%(id)s, %(type)s, %(title)s, %(created_by)s, 1, %(direct_key)s)
ON CONFLICT DO NOTHING
RETURNING id::text
"""
_FILL: Final = """
INSERT INTO messenger.conversation_participants (conversation_id, user_id, role, pos, joined_pos)
SELECT %(id)s, member.user_id, member.role, 1, 1
  FROM unnest(%(users)s::bigint[], %(roles)s::text[]) AS member (user_id, role)
"""
_EXISTING: Final = "SELECT id::text FROM messenger.conversations WHERE id = %s OR direct_key = %s"
_DESCRIBE: Final = """
SELECT c.id::text, c.type, c.title, c.created_by, messenger.to_wire(c.created_at), c.last_seq, c.last_pos,
       (SELECT count(*) FROM messenger.conversation_participants p
         WHERE p.conversation_id = c.id AND p.left_at IS NULL),
       (SELECT coalesce(json_agg(json_build_array(m.user_id, m.role, m.joined) ORDER BY m.user_id), '[]')
          FROM (SELECT p.user_id, p.role, messenger.to_wire(p.joined_at) AS joined
                  FROM messenger.conversation_participants p
                 WHERE p.conversation_id = c.id AND p.left_at IS NULL
                 ORDER BY p.user_id LIMIT %s) m)
  FROM messenger.conversations c WHERE c.id = %s AND c.deleted_at IS NULL
"""
_MEMBERSHIP: Final = """
SELECT c.type, p.role, c.last_seq, c.last_pos, coalesce(r.last_read_seq, 0), p.left_at IS NOT NULL
  FROM messenger.conversation_participants p
  JOIN messenger.conversations c ON c.id = p.conversation_id AND c.deleted_at IS NULL
  LEFT JOIN messenger.read_receipts r ON r.conversation_id = p.conversation_id AND r.user_id = p.user_id
 WHERE p.conversation_id = %s AND p.user_id = %s
"""
# What the user shows in his list: all that he is in, but for directs that he has put away. LIMIT 1 makes it a
# look-up for each: else the planner likes to read all conversations that there are.
_SHOWN: Final = """
    messenger.conversation_participants p
    CROSS JOIN LATERAL (SELECT * FROM messenger.conversations v WHERE v.id = p.conversation_id LIMIT 1) c
 WHERE p.user_id = %(user)s AND p.left_at IS NULL AND c.deleted_at IS NULL
   AND (p.hidden_seq IS NULL OR p.hidden_seq < c.last_seq)
"""
# Of a conversation c, with what _OWN joins to it.
_STANDING: Final = f"coalesce(r.last_read_seq, 0), {UNREAD}, coalesce({NOW_MUTED}, false)"
_OWN: Final = """
  LEFT JOIN messenger.read_receipts r ON r.conversation_id = c.id AND r.user_id = %(user)s
  LEFT JOIN messenger.notification_settings s ON s.conversation_id = c.id AND s.user_id = %(user)s
"""
_ACTIVITY: Final = "(extract(epoch FROM coalesce(c.last_message_at, c.created_at)) * 1000000)::bigint"
# The page first, then what is shown of each: counting for conversations that aren't on it would be wasted.
_LIST: Final = f"""
SELECT c.activity, c.id::text, c.type, c.title, c.created_by, messenger.to_wire(c.created_at), c.last_seq,
       c.last_pos, {_STANDING},
       (SELECT count(*) FROM messenger.conversation_participants o
         WHERE o.conversation_id = c.id AND o.left_at IS NULL),
       {MESSAGE_COLUMNS}
  FROM (SELECT c.*, {_ACTIVITY} AS activity
          FROM {_SHOWN}
           AND (%(activity)s IS NULL OR ({_ACTIVITY}, c.id) < (%(activity)s, %(id)s::uuid))
         ORDER BY activity DESC, c.id DESC LIMIT %(limit)s) c
{_OWN}
  LEFT JOIN messenger.messages m ON m.conversation_id = c.id AND m.seq = c.last_seq AND {SEEN}
 ORDER BY c.activity DESC, c.id DESC
"""
_LIST_NAMES: Final = (
    *("id", "type", "title", "created_by", "created_at", "last_seq", "last_pos", "read_seq"),
    *("unread", "muted", "participants_count"),
)
_SYNC: Final = f"""
SELECT c.id::text, c.last_seq, c.last_pos, {_STANDING}
  FROM (SELECT c.id, c.last_seq, c.last_pos FROM {_SHOWN}
           AND (%(after)s IS NULL OR p.conversation_id > %(after)s::uuid)
         ORDER BY p.conversation_id LIMIT %(limit)s) c
{_OWN}
 ORDER BY c.id
"""
_SYNC_NAMES: Final = ("conversation_id", "last_seq", "last_pos", "read_seq", "unread", "muted")
# For nobody in particular, like what follows on changes.
_MEMBERSHIPS: Final = """
SELECT user_id, conversation_id::text, last_pos, returned_pos FROM messenger.memberships(%s::bigint[])
"""
_MEMBER_IDS: Final = """
SELECT user_id FROM messenger.conversation_participants
 WHERE conversation_id = %s AND left_at IS NULL ORDER BY user_id LIMIT %s
"""
_RENAME: Final = """
UPDATE messenger.conversations SET title = %s, last_pos = last_pos + 1, title_pos = last_pos + 1
 WHERE id = %s AND title IS DISTINCT FROM %s
RETURNING last_pos
"""
# For nobody in particular: gateways ask for all their members.
HEADS: Final = "SELECT id::text, last_pos FROM messenger.heads(%s::uuid[])"


class PgConversations:
    """A ConversationStore in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, new: NewConversation) -> tuple[str, bool]:
        caller = new.created_by
        parameters = {
            "id": new.id,
            "type": new.type,
            "title": new.title,
            "created_by": caller,
            "direct_key": new.direct_key,
            "users": list(new.members.keys()),
            "roles": list(new.members.values()),
        }
        async with self._database.transaction(user_id=caller) as transaction:
            if await transaction.rows(_CREATE, parameters):
                await transaction.rows(_FILL, parameters)
                return new.id, True
        # The same id means that this very request was carried out before, by a worker that couldn't tell.
        rows = await self._database.rows(_EXISTING, (new.id, new.direct_key), user_id=caller)
        if not rows:
            raise AppError(errors.INTERNAL)  # Somebody else's conversation has this id.
        return rows[0][0], rows[0][0] == new.id

    async def describe(self, conversation_id: str, caller: int) -> ConversationData | None:
        rows = await self._database.rows(_DESCRIBE, (DESCRIBED_MEMBERS, conversation_id), user_id=caller)
        if not rows:
            return None
        id_, type_, title, created_by, created_at, last_seq, last_pos, count, members = rows[0]
        return {
            "id": id_,
            "type": type_,
            "title": title,
            "created_by": created_by,
            "created_at": created_at,
            "last_seq": last_seq,
            "last_pos": last_pos,
            "participants_count": count,
            "participants": [
                {"user_id": user_id, "role": role, "joined_at": joined_at}
                for user_id, role, joined_at in members
            ],
        }

    async def rename(self, conversation_id: str, caller: int, title: str) -> int | None:
        async with self._database.transaction(user_id=caller) as transaction:
            standing = await locked_standing(transaction, conversation_id, caller)
            require(standing.type, standing.role, Action.RENAME)
            rows = await transaction.rows(_RENAME, (title, conversation_id, title))
            return rows[0][0] if rows else None

    async def membership(self, conversation_id: str, user_id: int) -> Membership | None:
        rows = await self._database.rows(_MEMBERSHIP, (conversation_id, user_id), user_id=user_id)
        return Membership(*rows[0]) if rows else None

    async def list_for(
        self, user_id: int, before: tuple[int, str] | None, limit: int
    ) -> list[tuple[int, ConversationData]]:
        activity, id_ = before or (None, None)
        parameters = {"user": user_id, "activity": activity, "id": id_, "limit": limit}
        rows = await self._database.rows(_LIST, parameters, user_id=user_id)
        return [(row[0], _list_row(row[1:])) for row in rows]

    async def standings(self, user_id: int, after: str | None, limit: int) -> list[dict[str, Any]]:
        parameters = {"user": user_id, "after": after, "limit": limit}
        rows = await self._database.rows(_SYNC, parameters, user_id=user_id)
        return [dict(zip(_SYNC_NAMES, row, strict=True)) for row in rows]

    async def memberships(self, user_ids: Sequence[int]) -> dict[int, list[tuple[str, int, int]]]:
        found: dict[int, list[tuple[str, int, int]]] = {user_id: [] for user_id in user_ids}
        for user_id, *row in await self._database.rows(_MEMBERSHIPS, (list(user_ids),)):
            found[user_id].append(tuple(row))
        return found

    async def member_ids(self, conversation_id: str, caller: int, limit: int) -> list[int]:
        rows = await self._database.rows(_MEMBER_IDS, (conversation_id, limit), user_id=caller)
        return [row[0] for row in rows]

    async def heads(self, conversation_ids: Sequence[str]) -> dict[str, int]:
        return {row[0]: row[1] for row in await self._database.rows(HEADS, (list(conversation_ids),))}


def _list_row(row: Row) -> ConversationData:
    own, message = row[: len(_LIST_NAMES)], row[len(_LIST_NAMES) :]
    conversation = dict(zip(_LIST_NAMES, own, strict=True))
    conversation["last_message"] = to_message(message) if message[0] is not None else None
    return conversation
