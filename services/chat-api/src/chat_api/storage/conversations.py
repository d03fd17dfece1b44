"""Owns the SQL on conversations and their members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chat_api.model import ConversationData, Membership, NewConversation
from messenger_shared.postgres import Database

DESCRIBED_MEMBERS: Final = 100

# One statement, therefore one transaction. A direct conversation that exists already wins, also against a
# creation at the same moment; then nothing of this one is kept.
_CREATE: Final = """
WITH created AS (
    INSERT INTO messenger.conversations (id, type, title, created_by, last_pos, direct_key)
    VALUES (%(id)s, %(type)s, %(title)s, %(created_by)s, 1, %(direct_key)s)
    ON CONFLICT DO NOTHING
    RETURNING id
), joined AS (
    INSERT INTO messenger.conversation_participants (conversation_id, user_id, role, pos, joined_pos)
    SELECT created.id, member.user_id, member.role, 1, 1
      FROM created, unnest(%(users)s::bigint[], %(roles)s::text[]) AS member (user_id, role)
)
SELECT id::text FROM created
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
_LIST: Final = """
SELECT c.activity, c.id::text, c.type, c.title, c.created_by, messenger.to_wire(c.created_at), c.last_seq,
       c.last_pos, coalesce(r.last_read_seq, 0),
       (SELECT count(*) FROM messenger.messages m
         WHERE m.conversation_id = c.id AND m.seq > coalesce(r.last_read_seq, 0)
           AND m.sender_id <> %(user)s AND m.deleted_at IS NULL),
       (SELECT count(*) FROM messenger.conversation_participants o
         WHERE o.conversation_id = c.id AND o.left_at IS NULL),
       coalesce(s.muted AND (s.muted_until IS NULL OR s.muted_until > now()), false),
       (SELECT m.id::text FROM messenger.messages m
         WHERE m.conversation_id = c.id AND m.seq = c.last_seq)
  FROM (SELECT v.*, (extract(epoch FROM coalesce(v.last_message_at, v.created_at)) * 1000000)::bigint
               AS activity
          FROM messenger.conversation_participants p
          JOIN messenger.conversations v ON v.id = p.conversation_id
         WHERE p.user_id = %(user)s AND p.left_at IS NULL AND v.deleted_at IS NULL) c
  LEFT JOIN messenger.read_receipts r ON r.conversation_id = c.id AND r.user_id = %(user)s
  LEFT JOIN messenger.notification_settings s ON s.conversation_id = c.id AND s.user_id = %(user)s
 WHERE %(activity)s IS NULL OR (c.activity, c.id) < (%(activity)s, %(id)s::uuid)
 ORDER BY c.activity DESC, c.id DESC
 LIMIT %(limit)s
"""
_LIST_NAMES: Final = (
    *("id", "type", "title", "created_by", "created_at", "last_seq", "last_pos", "read_seq"),
    *("unread", "participants_count", "muted", "last_message"),
)
_MEMBERSHIPS: Final = """
SELECT c.id::text, c.last_pos
  FROM messenger.conversation_participants p
  JOIN messenger.conversations c ON c.id = p.conversation_id
 WHERE p.user_id = %s AND p.left_at IS NULL AND c.deleted_at IS NULL
"""
_MEMBER_IDS: Final = """
SELECT user_id FROM messenger.conversation_participants
 WHERE conversation_id = %s AND left_at IS NULL ORDER BY user_id LIMIT %s
"""
_HEADS: Final = "SELECT id::text, last_pos FROM messenger.conversations WHERE id = ANY(%s::uuid[])"


class PgConversations:
    """A ConversationStore in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, new: NewConversation) -> tuple[str, bool]:
        found = await self._database.rows(
            _CREATE,
            {
                "id": new.id,
                "type": new.type,
                "title": new.title,
                "created_by": new.created_by,
                "direct_key": new.direct_key,
                "users": list(new.members.keys()),
                "roles": list(new.members.values()),
            },
        )
        if found:
            return new.id, True
        # The same id means that this very request was carried out before, by a worker that couldn't tell.
        [[existing]] = await self._database.rows(_EXISTING, (new.id, new.direct_key))
        return existing, existing == new.id

    async def describe(self, conversation_id: str) -> ConversationData | None:
        rows = await self._database.rows(_DESCRIBE, (DESCRIBED_MEMBERS, conversation_id))
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

    async def membership(self, conversation_id: str, user_id: int) -> Membership | None:
        rows = await self._database.rows(_MEMBERSHIP, (conversation_id, user_id))
        return Membership(*rows[0]) if rows else None

    async def list_for(
        self, user_id: int, before: tuple[int, str] | None, limit: int
    ) -> list[tuple[int, ConversationData]]:
        activity, id_ = before or (None, None)
        parameters = {"user": user_id, "activity": activity, "id": id_, "limit": limit}
        return [
            (row[0], dict(zip(_LIST_NAMES, row[1:], strict=True)))
            for row in await self._database.rows(_LIST, parameters)
        ]

    async def memberships(self, user_id: int) -> list[tuple[str, int]]:
        return [(row[0], row[1]) for row in await self._database.rows(_MEMBERSHIPS, (user_id,))]

    async def member_ids(self, conversation_id: str, limit: int) -> list[int]:
        return [row[0] for row in await self._database.rows(_MEMBER_IDS, (conversation_id, limit))]

    async def heads(self, conversation_ids: Sequence[str]) -> dict[str, int]:
        return {row[0]: row[1] for row in await self._database.rows(_HEADS, (list(conversation_ids),))}
