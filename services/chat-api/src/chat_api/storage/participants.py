"""Reads and changes members. Each change is one transaction under the conversation's lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from chat_api.model import ConversationState, MemberChange
from chat_api.rules.permissions import ADMIN, HOST, Action, require
from chat_api.storage.users import require_users
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.postgres.database import Database, Transaction

STILL_ABSENT: Final = 2**63 - 1

# The lock is a separate statement: the statements after it see every commit before the lock.
_LOCK: Final = "SELECT 1 FROM messenger.conversations WHERE id = %s FOR NO KEY UPDATE"
_STATE: Final = """
SELECT c.type, p.role, c.last_seq, c.last_pos, p.left_at IS NOT NULL, c.deleted_at IS NOT NULL
  FROM messenger.conversation_participants p JOIN messenger.conversations c ON c.id = p.conversation_id
 WHERE p.conversation_id = %s AND p.user_id = %s
"""
# The host application acts with a server key, and is no member.
_STATE_FOR_HOST: Final = f"""
SELECT c.type, '{HOST}', c.last_seq, c.last_pos, false, c.deleted_at IS NOT NULL
  FROM messenger.conversations c WHERE c.id = %s
"""
_ROLE: Final = """
SELECT role FROM messenger.conversation_participants
 WHERE conversation_id = %s AND user_id = %s AND left_at IS NULL
"""
PRESENT_MEMBERS: Final = """
SELECT user_id FROM messenger.conversation_participants
 WHERE conversation_id = %s AND user_id = ANY(%s) AND left_at IS NULL
"""
_HAS_OTHER_ADMIN: Final = """
SELECT EXISTS (SELECT 1 FROM messenger.conversation_participants
                WHERE conversation_id = %s AND user_id <> %s AND role = 'admin' AND left_at IS NULL)
"""
# An observer becomes admin only when nobody else is left.
_SUCCESSOR: Final = """
SELECT user_id FROM messenger.conversation_participants
 WHERE conversation_id = %s AND user_id <> %s AND left_at IS NULL
 ORDER BY role = 'observer', joined_at, user_id LIMIT 1
"""
_ADVANCE_POS: Final = """
UPDATE messenger.conversations
   SET last_pos = last_pos + %s, deleted_at = CASE WHEN %s THEN now() END
 WHERE id = %s
"""
_SET_ROLE: Final = """
UPDATE messenger.conversation_participants SET role = %s, pos = %s
 WHERE conversation_id = %s AND user_id = %s
"""
_BEGIN_ABSENCE: Final = """
INSERT INTO messenger.participant_absences (conversation_id, user_id, from_seq, to_seq)
VALUES (%s, %s, %s, %s)
ON CONFLICT (conversation_id, user_id, from_seq) DO UPDATE SET to_seq = excluded.to_seq
"""
_LEAVE: Final = """
UPDATE messenger.conversation_participants SET left_at = now(), pos = %s
 WHERE conversation_id = %s AND user_id = %s
"""
_JOIN: Final = """
INSERT INTO messenger.conversation_participants
       (conversation_id, user_id, role, pos, joined_pos, joined_seq)
SELECT %(conversation)s, user_id, %(role)s, %(pos)s, %(pos)s, %(seq)s
  FROM unnest(%(users)s::bigint[]) AS added (user_id)
ON CONFLICT (conversation_id, user_id) DO UPDATE
   SET role = excluded.role, pos = excluded.pos, joined_pos = excluded.joined_pos,
       joined_seq = excluded.joined_seq, joined_at = now(), left_at = NULL
"""
_END_ABSENCES: Final = """
UPDATE messenger.participant_absences SET to_seq = %s
 WHERE conversation_id = %s AND user_id = ANY(%s) AND to_seq = %s
"""
# New members have nothing unread: earlier messages were not sent to them.
_MARK_EARLIER_READ: Final = """
INSERT INTO messenger.read_receipts AS r (conversation_id, user_id, last_read_seq, message_id)
SELECT m.conversation_id, added.user_id, m.seq, m.id
  FROM messenger.messages m, unnest(%s::bigint[]) AS added (user_id)
 WHERE m.conversation_id = %s AND m.seq = %s
ON CONFLICT (conversation_id, user_id) DO UPDATE
   SET last_read_seq = excluded.last_read_seq, message_id = excluded.message_id, read_at = now()
 WHERE r.last_read_seq < excluded.last_read_seq
"""
_HIDE: Final = """
UPDATE messenger.conversation_participants SET hidden_seq = %(seq)s
 WHERE conversation_id = %(conversation)s AND user_id = %(user)s
   AND (hidden_seq IS NULL OR hidden_seq < %(seq)s)
RETURNING 1
"""
_PAGE: Final = """
SELECT user_id, role, messenger.to_wire(joined_at) FROM messenger.conversation_participants
 WHERE conversation_id = %s AND user_id > %s AND left_at IS NULL ORDER BY user_id LIMIT %s
"""
_ONE: Final = """
SELECT user_id, role, messenger.to_wire(joined_at) FROM messenger.conversation_participants
 WHERE conversation_id = %s AND user_id = %s AND left_at IS NULL
"""
_NAMES: Final = ("user_id", "role", "joined_at")


class PgParticipants:
    """A ParticipantStore in PostgreSQL. With `may_create_users`, a new member may be a new user."""

    def __init__(self, database: Database, *, may_create_users: bool = True) -> None:
        self._database = database
        self._may_create_users = may_create_users

    async def add(
        self, conversation_id: str, caller: int, user_ids: Sequence[int], role: str
    ) -> list[MemberChange]:
        async with self._database.transaction(user_id=caller) as transaction:
            standing = await lock_conversation(transaction, conversation_id, caller)
            require(standing.type, standing.role, Action.ADD)
            rows = await transaction.rows(PRESENT_MEMBERS, (conversation_id, list(user_ids)))
            present = {row[0] for row in rows}
            users = [user for user in dict.fromkeys(user_ids) if user not in present]
            if users:
                await require_users(transaction, users, "user_ids", may_create=self._may_create_users)
                await join(transaction, conversation_id, users, role, standing)
        return [MemberChange("added", user, role, standing.last_pos + 1) for user in users]

    async def remove(self, conversation_id: str, caller: int, user_id: int) -> list[MemberChange]:
        async with self._database.transaction(user_id=caller) as transaction:
            state = await lock_conversation(transaction, conversation_id, caller)
            require(state.type, state.role, Action.LEAVE if caller == user_id else Action.REMOVE)
            role = await _role(transaction, conversation_id, user_id)
            return await _remove(transaction, conversation_id, user_id, role, state)

    async def leave(self, conversation_id: str, caller: int) -> list[MemberChange] | int:
        async with self._database.transaction(user_id=caller) as transaction:
            state = await lock_conversation(transaction, conversation_id, caller)
            if state.type == "direct":
                await _hide(transaction, conversation_id, caller, state)
                return state.last_pos
            require(state.type, state.role, Action.LEAVE)
            return await _remove(transaction, conversation_id, caller, state.role, state)

    async def set_role(
        self, conversation_id: str, caller: int, user_id: int, role: str
    ) -> list[MemberChange]:
        async with self._database.transaction(user_id=caller) as transaction:
            state = await lock_conversation(transaction, conversation_id, caller)
            require(state.type, state.role, Action.SET_ROLE)
            now = await _role(transaction, conversation_id, user_id)
            if now == role:
                return []
            if now == ADMIN and not await _has_other_admin(transaction, conversation_id, user_id):
                raise AppError(errors.FORBIDDEN)
            pos = state.last_pos + 1
            await transaction.rows(_ADVANCE_POS, (1, False, conversation_id))
            await transaction.rows(_SET_ROLE, (role, pos, conversation_id, user_id))
            return [MemberChange("updated", user_id, role, pos)]

    async def page(self, conversation_id: str, caller: int, after: int, limit: int) -> list[dict[str, Any]]:
        rows = await self._database.rows(_PAGE, (conversation_id, after, limit), user_id=caller)
        return [dict(zip(_NAMES, row, strict=True)) for row in rows]

    async def get(self, conversation_id: str, caller: int, user_id: int) -> dict[str, Any] | None:
        rows = await self._database.rows(_ONE, (conversation_id, user_id), user_id=caller)
        return dict(zip(_NAMES, rows[0], strict=True)) if rows else None


async def lock_conversation(transaction: Transaction, conversation_id: str, caller: int) -> ConversationState:
    """Locks the conversation against other changes and reads it. Raises AppError(not_found, not_member)."""
    await transaction.rows(_LOCK, (conversation_id,))
    if caller == SERVER:
        rows = await transaction.rows(_STATE_FOR_HOST, (conversation_id,))
    else:
        rows = await transaction.rows(_STATE, (conversation_id, caller))
    if not rows or rows[0][5]:
        raise AppError(errors.NOT_FOUND)
    if rows[0][4]:
        raise AppError(errors.NOT_MEMBER)
    return ConversationState(*rows[0][:4])


async def join(
    transaction: Transaction, conversation_id: str, users: list[int], role: str, state: ConversationState
) -> None:
    """Adds users who are no members now, at the next pos."""
    seq = state.last_seq
    await transaction.rows(_ADVANCE_POS, (1, False, conversation_id))
    await transaction.rows(
        _JOIN,
        {
            "conversation": conversation_id,
            "role": role,
            "pos": state.last_pos + 1,
            "seq": seq,
            "users": users,
        },
    )
    await transaction.rows(_END_ABSENCES, (seq, conversation_id, users, STILL_ABSENT))
    await transaction.rows(_MARK_EARLIER_READ, (users, conversation_id, seq))


async def _remove(
    transaction: Transaction, conversation_id: str, user_id: int, role: str, state: ConversationState
) -> list[MemberChange]:
    """Ends a membership. After the last admin, the longest-standing member becomes admin.

    Deletes the conversation when nobody is left.
    """
    pos = state.last_pos + 1
    successors = await transaction.rows(_SUCCESSOR, (conversation_id, user_id))
    changes = [MemberChange("removed", user_id, role, pos)]
    if successors and role == ADMIN and not await _has_other_admin(transaction, conversation_id, user_id):
        changes.append(MemberChange("updated", successors[0][0], ADMIN, pos + 1))
    # Removes the member last: the caller may be that member, and row-level security lets only members write.
    await transaction.rows(_ADVANCE_POS, (len(changes), not successors, conversation_id))
    for successor in changes[1:]:
        await transaction.rows(_SET_ROLE, (ADMIN, successor.pos, conversation_id, successor.user_id))
    await transaction.rows(_BEGIN_ABSENCE, (conversation_id, user_id, state.last_seq, STILL_ABSENT))
    await transaction.rows(_LEAVE, (pos, conversation_id, user_id))
    return changes


async def _hide(
    transaction: Transaction, conversation_id: str, caller: int, state: ConversationState
) -> None:
    parameters = {"conversation": conversation_id, "user": caller, "seq": state.last_seq}
    if not await transaction.rows(_HIDE, parameters):
        raise AppError(errors.NOT_FOUND)


async def _role(transaction: Transaction, conversation_id: str, user_id: int) -> str:
    rows = await transaction.rows(_ROLE, (conversation_id, user_id))
    if not rows:
        raise AppError(errors.NOT_FOUND)
    return str(rows[0][0])


async def _has_other_admin(transaction: Transaction, conversation_id: str, user_id: int) -> bool:
    [[has]] = await transaction.rows(_HAS_OTHER_ADMIN, (conversation_id, user_id))
    return bool(has)
