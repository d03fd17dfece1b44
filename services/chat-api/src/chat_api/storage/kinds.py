"""Declares the kinds of durable rows: what takes a `pos` in a conversation.

Replay and repair (`chat_api.storage.changes`) and the audit (`chat_api.check`) are made from this table. A
new kind is a migration, a row here, and a handler that publishes the same event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from chat_api.model import MemberChange
from chat_api.publisher import (
    files_event,
    member_events,
    message_event,
    pins_event,
    reactions_event,
    updated_event,
)
from chat_api.storage.messages import MESSAGE_COLUMNS, VISIBLE, to_message
from messenger_shared.contract.events import Event
from messenger_shared.contract.operations.pins import PINS_NAMED
from messenger_shared.postgres.database import Row

CHANGES_MAX: Final = 500
# Users who were added together are one change, so this bound is higher than CHANGES_MAX.
CHANGED_MEMBERS_MAX: Final = 5_000


class Kind(NamedTuple):
    """A kind of durable rows. Each row has the `pos` of its last change.

    `positions` is for the audit: it selects every row's conversation, its pos, and whether it may share that
    pos with other rows of which this is true. `changed` selects the latest state of the rows above
    `%(pos)s`, at most `%(limit)s`, in the order of pos, and `events` makes their events. `changed_for` does
    it for the user `%(user)s`, who may not see everything.
    """

    name: str
    positions: str
    changed: str
    changed_for: str
    events: Callable[[str, Sequence[Row]], list[Event]]
    limit: int = CHANGES_MAX


def _message_events(conversation_id: str, rows: Sequence[Row]) -> list[Event]:
    return [message_event(to_message(row[1:]), is_new=row[0]) for row in rows]


def _member_events(conversation_id: str, rows: Sequence[Row]) -> list[Event]:
    return member_events(conversation_id, [MemberChange(*row) for row in rows])


def _title_events(conversation_id: str, rows: Sequence[Row]) -> list[Event]:
    names = ("id", "type", "title", "created_by", "created_at")
    return [updated_event(dict(zip(names, row[1:], strict=True)), row[0]) for row in rows]


def _reaction_events(conversation_id: str, rows: Sequence[Row]) -> list[Event]:
    return [reactions_event(conversation_id, *row) for row in rows]


def _pin_events(conversation_id: str, rows: Sequence[Row]) -> list[Event]:
    return [pins_event(conversation_id, *row) for row in rows]


def _file_events(conversation_id: str, rows: Sequence[Row]) -> list[Event]:
    return [files_event(conversation_id, *row) for row in rows]


_CHANGED_MEMBERS: Final = """
SELECT CASE WHEN is_left THEN 'removed' WHEN joined_pos > %(pos)s THEN 'added' ELSE 'updated' END,
       user_id, role, pos
  FROM messenger.changed_participants(%(conversation)s, %(pos)s, %(limit)s)
"""
_CHANGED_TITLE: Final = """
SELECT pos, id::text, type, title, created_by, messenger.to_wire(created_at)
  FROM messenger.title_change(%(conversation)s, %(pos)s)
"""
_CHANGED_PINS: Final = f"""
SELECT pos, user_id, message_ids::text[]
  FROM messenger.changed_pins(%(conversation)s, %(pos)s, {PINS_NAMED})
"""

KINDS: Final = (
    Kind(
        "messages",
        "SELECT conversation_id, pos, false FROM messenger.messages",
        f"""SELECT created_pos > %(pos)s, {MESSAGE_COLUMNS}
              FROM messenger.changed_messages(%(conversation)s, %(pos)s, %(limit)s) m""",
        f"""SELECT created_pos > %(pos)s, {MESSAGE_COLUMNS} FROM messenger.messages m
             WHERE conversation_id = %(conversation)s AND pos > %(pos)s AND {VISIBLE}
             ORDER BY pos LIMIT %(limit)s""",
        _message_events,
    ),
    Kind(
        "members",
        "SELECT conversation_id, pos, pos = joined_pos AND left_at IS NULL "
        "FROM messenger.conversation_participants",
        _CHANGED_MEMBERS,
        _CHANGED_MEMBERS,
        _member_events,
        CHANGED_MEMBERS_MAX,
    ),
    Kind(
        "titles",
        "SELECT id, title_pos, false FROM messenger.conversations WHERE title_pos > 0",
        _CHANGED_TITLE,
        _CHANGED_TITLE,
        _title_events,
    ),
    Kind(
        "reactions",
        "SELECT conversation_id, pos, false FROM messenger.reaction_heads",
        """SELECT message_id::text, pos, counts
             FROM messenger.changed_reactions(%(conversation)s, %(pos)s, %(limit)s)""",
        f"""SELECT h.message_id::text, h.pos, h.counts
              FROM messenger.reaction_heads h JOIN messenger.messages m ON m.id = h.message_id
             WHERE h.conversation_id = %(conversation)s AND h.pos > %(pos)s AND {VISIBLE}
             ORDER BY h.pos LIMIT %(limit)s""",
        _reaction_events,
    ),
    Kind(
        "pins",
        "SELECT conversation_id, pos, false FROM messenger.pin_heads",
        _CHANGED_PINS,
        _CHANGED_PINS,
        _pin_events,
    ),
    Kind(
        "files",
        "SELECT conversation_id, pos, false FROM messenger.file_heads",
        """SELECT message_id::text, pos, attachments
             FROM messenger.changed_files(%(conversation)s, %(pos)s, %(limit)s)""",
        f"""SELECT h.message_id::text, h.pos, m.attachments
              FROM messenger.file_heads h JOIN messenger.messages m ON m.id = h.message_id
             WHERE h.conversation_id = %(conversation)s AND h.pos > %(pos)s AND m.attachments IS NOT NULL
               AND {VISIBLE}
             ORDER BY h.pos LIMIT %(limit)s""",
        _file_events,
    ),
)
