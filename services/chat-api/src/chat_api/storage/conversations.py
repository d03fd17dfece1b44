"""Reads and writes conversations, and reads memberships."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from chat_api.model import ConversationData, Membership, NewConversation
from chat_api.rules.permissions import Action, require
from chat_api.storage.messages import HISTORY_COLUMNS, HISTORY_JOIN, VISIBLE, to_history_message
from chat_api.storage.participants import lock_conversation
from chat_api.storage.receipts import MARKED, UNREAD, UNREAD_MENTIONS
from chat_api.storage.settings import NOW_MUTED
from chat_api.storage.users import require_users
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.postgres.database import Database, Row, Transaction

DESCRIBED_MEMBERS: Final = 100

# Two statements in one transaction: row-level security lets the creator add members to a conversation only
# after it exists. ON CONFLICT: an existing direct conversation wins, even one created at the same moment, and
# nothing is stored.
_CREATE: Final = """
INSERT INTO messenger.conversations (id, type, title, created_by, last_pos, direct_key)
VALUES (%(id)s, %(type)s, %(title)s, %(created_by)s, 1, %(direct_key)s)
ON CONFLICT DO NOTHING
RETURNING id::text
"""
_ADD_MEMBERS: Final = """
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
# The conversations in the user's list: those they are a member of, without direct ones that they have hidden.
# LIMIT 1 forces a look-up for each membership; otherwise the planner tends to read all conversations.
_SHOWN: Final = """
    messenger.conversation_participants p
    CROSS JOIN LATERAL (SELECT * FROM messenger.conversations v WHERE v.id = p.conversation_id LIMIT 1) c
 WHERE p.user_id = %(user)s AND p.left_at IS NULL AND c.deleted_at IS NULL
   AND (p.hidden_seq IS NULL OR p.hidden_seq < c.last_seq)
"""
# The user's own columns for a conversation c. _OWN_JOINS joins the tables that they need.
_OWN_COLUMNS: Final = (
    f"coalesce(r.last_read_seq, 0), {UNREAD}, {UNREAD_MENTIONS}, k.from_seq, coalesce({NOW_MUTED}, false), "
    "coalesce(s.notify, 'all')"
)
_OWN_NAMES: Final = ("read_seq", "unread", "unread_mentions", "marked_unread_from", "muted", "notify")
_OWN_JOINS: Final = f"""
 CROSS JOIN LATERAL (SELECT c.id AS conversation_id, c.joined_pos, c.joined_seq) p
  LEFT JOIN messenger.read_receipts r ON r.conversation_id = c.id AND r.user_id = %(user)s
  LEFT JOIN {MARKED}
  LEFT JOIN messenger.notification_settings s ON s.conversation_id = c.id AND s.user_id = %(user)s
"""
_ACTIVITY: Final = "(extract(epoch FROM coalesce(c.last_message_at, c.created_at)) * 1000000)::bigint"
# Selects the page first and then the details, so that nothing is counted for conversations outside the page.
_LIST: Final = f"""
SELECT c.activity, c.id::text, c.type, c.title, c.created_by, messenger.to_wire(c.created_at), c.last_seq,
       c.last_pos, {_OWN_COLUMNS},
       (SELECT count(*) FROM messenger.conversation_participants o
         WHERE o.conversation_id = c.id AND o.left_at IS NULL),
       CASE WHEN c.type = 'direct' THEN ARRAY(
           SELECT o.user_id FROM messenger.conversation_participants o
            WHERE o.conversation_id = c.id ORDER BY o.user_id) END,
       {HISTORY_COLUMNS}
  FROM (SELECT c.*, p.joined_pos, p.joined_seq, {_ACTIVITY} AS activity
          FROM {_SHOWN}
           AND (%(activity)s IS NULL OR ({_ACTIVITY}, c.id) < (%(activity)s, %(id)s::uuid))
           AND (%(ids)s IS NULL OR p.conversation_id = ANY (%(ids)s::uuid[]))
         ORDER BY activity DESC, c.id DESC LIMIT %(limit)s) c
{_OWN_JOINS}
  LEFT JOIN messenger.messages m ON m.conversation_id = c.id AND m.seq = c.last_seq AND {VISIBLE}
  {HISTORY_JOIN}
 ORDER BY c.activity DESC, c.id DESC
"""
_LIST_NAMES: Final = (
    *("id", "type", "title", "created_by", "created_at", "last_seq", "last_pos"),
    *(*_OWN_NAMES, "participants_count", "participant_ids"),
)
_SYNC: Final = f"""
SELECT c.id::text, c.last_seq, c.last_pos, {_OWN_COLUMNS}
  FROM (SELECT c.id, c.last_seq, c.last_pos, p.joined_pos, p.joined_seq FROM {_SHOWN}
           AND (%(after)s IS NULL OR p.conversation_id > %(after)s::uuid)
         ORDER BY p.conversation_id LIMIT %(limit)s) c
{_OWN_JOINS}
 ORDER BY c.id
"""
_SYNC_NAMES: Final = ("conversation_id", "last_seq", "last_pos", *_OWN_NAMES)
# Runs without an acting user, for gateways: the SQL function looks past row-level security.
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
# Runs without an acting user: gateways ask for all their members at once.
LAST_POSITIONS: Final = "SELECT id::text, last_pos FROM messenger.heads(%s::uuid[])"


class PgConversations:
    """A ConversationStore in PostgreSQL. With `may_create_users`, a new member may be a new user."""

    def __init__(self, database: Database, *, may_create_users: bool = True) -> None:
        self._database = database
        self._may_create_users = may_create_users

    async def create(self, new: NewConversation) -> tuple[str, bool]:
        caller = new.created_by
        async with self._database.transaction(user_id=caller) as transaction:
            if await insert_conversation(transaction, new, may_create_users=self._may_create_users):
                return new.id, True
        # The same id: this request was carried out before, by a worker that may not have published it.
        rows = await self._database.rows(_EXISTING, (new.id, new.direct_key), user_id=caller)
        if not rows:
            raise AppError(errors.INTERNAL)  # The id belongs to a conversation of other users.
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
            state = await lock_conversation(transaction, conversation_id, caller)
            require(state.type, state.role, Action.RENAME)
            rows = await transaction.rows(_RENAME, (title, conversation_id, title))
            return rows[0][0] if rows else None

    async def membership(self, conversation_id: str, user_id: int) -> Membership | None:
        rows = await self._database.rows(_MEMBERSHIP, (conversation_id, user_id), user_id=user_id)
        return Membership(*rows[0]) if rows else None

    async def list_for(
        self, user_id: int, before: tuple[int, str] | None, limit: int, ids: Sequence[str] | None = None
    ) -> list[tuple[int, ConversationData]]:
        activity, id_ = before or (None, None)
        wanted = None if ids is None else list(ids)
        parameters = {"user": user_id, "activity": activity, "id": id_, "ids": wanted, "limit": limit}
        rows = await self._database.rows(_LIST, parameters, user_id=user_id)
        return [(row[0], _list_row(row[1:])) for row in rows]

    async def counters(self, user_id: int, after: str | None, limit: int) -> list[dict[str, Any]]:
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

    async def last_positions(self, conversation_ids: Sequence[str]) -> dict[str, int]:
        return {
            row[0]: row[1] for row in await self._database.rows(LAST_POSITIONS, (list(conversation_ids),))
        }


async def insert_conversation(
    transaction: Transaction, new: NewConversation, *, may_create_users: bool
) -> bool:
    """Stores a conversation with its members. Returns false if there is one with its id or direct key.

    Raises AppError(unknown_user) if a member isn't known and `may_create_users` is false.
    """
    parameters = {
        "id": new.id,
        "type": new.type,
        "title": new.title,
        "created_by": new.created_by,
        "direct_key": new.direct_key,
        "users": list(new.members.keys()),
        "roles": list(new.members.values()),
    }
    await require_users(transaction, list(new.members), "participant_ids", may_create=may_create_users)
    if not await transaction.rows(_CREATE, parameters):
        return False
    await transaction.rows(_ADD_MEMBERS, parameters)
    return True


def _list_row(row: Row) -> ConversationData:
    own, message = row[: len(_LIST_NAMES)], row[len(_LIST_NAMES) :]
    conversation = dict(zip(_LIST_NAMES, own, strict=True))
    conversation["last_message"] = to_history_message(message) if message[0] is not None else None
    return conversation
