"""Changes the mentions of a message, in the transaction of an edit. Migration 0010 has the SQL functions."""

from __future__ import annotations

from typing import Final

import orjson

from chat_api.model import MentionsData, MessageFacts
from chat_api.rules.mentions import added_mentions, check_mention_all, mentions_all
from messenger_shared.contract.schemas.mentions import MENTION_ALL_MEMBERS
from messenger_shared.postgres.database import Database, Transaction

_IS_CROWD: Final = f"SELECT messenger.has_more_members(%s, {MENTION_ALL_MEMBERS})"
_EFFECTIVE: Final = "SELECT messenger.effective_mentions(%s, %s)"
_REMOVE: Final = """
DELETE FROM messenger.mentions x
 USING (SELECT messenger.mention_rows(%(before)s, %(sender)s) AS user_id
        EXCEPT SELECT messenger.mention_rows(%(after)s, %(sender)s)) AS old
 WHERE x.conversation_id = %(conversation)s AND x.user_id = old.user_id AND x.seq = %(seq)s
"""
_ADD: Final = "SELECT messenger.add_mentions(%s)"
_OTHER_MEMBERS: Final = """
SELECT user_id FROM messenger.conversation_participants
 WHERE conversation_id = %s AND left_at IS NULL AND joined_seq < %s AND user_id <> ALL (%s)
"""


def as_json(mentions: MentionsData | None) -> str | None:
    """The mentions as a parameter of a statement."""
    return None if mentions is None else orjson.dumps(mentions).decode()


async def is_crowd(database: Database | Transaction, conversation_id: str) -> bool:
    """Whether there are too many members to mention all of them."""
    [[is_]] = await database.rows(_IS_CROWD, (conversation_id,))
    return bool(is_)


async def effective_mentions(
    transaction: Transaction, facts: MessageFacts, wanted: MentionsData | None
) -> MentionsData | None:
    """What remains of the wanted mentions: those of members. Raises AppError(mention_all_refused)."""
    if wanted is None:
        return None
    if mentions_all(wanted):
        check_mention_all(facts, is_crowd=await is_crowd(transaction, facts.conversation_id))
    [[effective]] = await transaction.rows(_EFFECTIVE, (facts.conversation_id, as_json(wanted)))
    found: MentionsData | None = effective
    return found


async def replace_mentions(
    transaction: Transaction, message_id: str, facts: MessageFacts, after: MentionsData | None
) -> list[int]:
    """Stores whom the edited message mentions now. Returns the members whom it didn't mention before."""
    before = facts.mentions
    if before == after:
        return []
    parameters = {
        "conversation": facts.conversation_id,
        "seq": facts.seq,
        "sender": facts.sender_id,
        "before": as_json(before),
        "after": as_json(after),
    }
    await transaction.rows(_REMOVE, parameters)
    await transaction.rows(_ADD, (message_id,))
    if not mentions_all(after) or mentions_all(before):
        return added_mentions(before, after, facts.sender_id)
    known = [facts.sender_id, *(before["mentions"]["user_ids"] if before else ())]
    rows = await transaction.rows(_OTHER_MEMBERS, (facts.conversation_id, facts.seq, known))
    return [row[0] for row in rows]
