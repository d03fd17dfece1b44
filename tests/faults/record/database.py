"""Reads the tables directly, past the product: what is really stored."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import psycopg2

from tests.faults.record.events import Attached, Key, Reactions, Stored
from tests.faults.record.host_log import HostLog

_CONNECT_S = 2
_RETRY_S = 0.1
_LIMIT_S = 30.0
_MEMBER = (
    "SELECT pos FROM messenger.conversation_participants WHERE conversation_id = %s::uuid AND user_id = %s"
)
_MESSAGES = """
SELECT conversation_id::text, id::text, seq, pos, version, sender_id, client_message_id, content,
       coalesce(mentions #> '{mentions,user_ids}', '[]')
  FROM messenger.messages WHERE conversation_id = ANY(%s::uuid[]) ORDER BY conversation_id, seq
"""
_HEADS = "SELECT id::text, last_seq, last_pos FROM messenger.conversations WHERE id = ANY(%s::uuid[])"
_ABSENCES = """
SELECT conversation_id::text, user_id, from_seq, to_seq
  FROM messenger.participant_absences WHERE conversation_id = ANY(%s::uuid[])
"""
_MEMBER_POSITIONS = """
SELECT conversation_id::text, pos FROM messenger.conversation_participants
 WHERE conversation_id = ANY(%s::uuid[])
"""
_VERSIONS = """
SELECT v.message_id::text, v.content FROM messenger.message_versions v
  JOIN messenger.messages m ON m.id = v.message_id WHERE m.conversation_id = ANY(%s::uuid[])
"""
_REACTIONS = """
SELECT message_id::text, user_id, emoji FROM messenger.reactions WHERE conversation_id = ANY(%s::uuid[])
"""
_REACTION_HEADS = """
SELECT conversation_id::text, message_id::text, pos, counts FROM messenger.reaction_heads
 WHERE conversation_id = ANY(%s::uuid[])
"""
_PINS = """
SELECT conversation_id::text, message_id::text FROM messenger.pins
 WHERE conversation_id = ANY(%s::uuid[]) ORDER BY id DESC
"""
_PIN_HEADS = (
    "SELECT conversation_id::text, pos FROM messenger.pin_heads WHERE conversation_id = ANY(%s::uuid[])"
)
_ATTACHMENTS = """
SELECT conversation_id::text, id::text, attachments FROM messenger.messages
 WHERE conversation_id = ANY(%s::uuid[]) AND attachments IS NOT NULL
"""
_FILE_HEADS = (
    "SELECT conversation_id::text, pos FROM messenger.file_heads WHERE conversation_id = ANY(%s::uuid[])"
)
_FILES = """
SELECT id::text, state, size, mime, kind FROM messenger.files WHERE owner_id IN (
       SELECT user_id FROM messenger.conversation_participants WHERE conversation_id = ANY(%s::uuid[]))
"""
# What a dead gateway had taken is taken again when its lease of a minute ends. A run doesn't wait for that.
_HASTEN_EXAMINATIONS = """
UPDATE messenger.files SET process_at = now()
 WHERE state = 'pending' AND process_at < now() + make_interval(secs => %s) RETURNING id::text
"""
_UNINDEXED = """
SELECT c.id::text FROM messenger.conversations c
  LEFT JOIN messenger.feed_cursors f ON f.conversation_id = c.id AND f.consumer = 'search'
 WHERE c.last_pos > coalesce(f.pos, 0)
"""
_PENDING = "SELECT id::text FROM messenger.files WHERE state = 'pending'"
_HOST_USERS = "SELECT external_id, id, name FROM messenger.users WHERE external_id = ANY(%s)"
_HOST_ROOMS = (
    "SELECT external_key, conversation_id::text FROM messenger.conversation_keys WHERE external_key = ANY(%s)"
)
_CONVERSATIONS_OF = """
SELECT DISTINCT conversation_id::text FROM messenger.conversation_participants WHERE user_id = ANY(%s)
"""


class FileState(NamedTuple):
    """What the row of a file says."""

    state: str
    size: int
    mime: str
    kind: str


class Tables(NamedTuple):
    """What is stored at the end, for the conversations of a run."""

    messages: dict[str, list[Stored]]
    # Conversation -> (last_seq, last_pos).
    positions: dict[str, tuple[int, int]]
    # (conversation, user) -> the ranges of seq that the user may not see (exclusive start, inclusive end).
    unseen: dict[tuple[str, int], list[tuple[int, int]]]
    # Conversation -> the positions of its members' last changes.
    member_positions: dict[str, set[int]]
    # Message -> its earlier texts.
    versions: dict[str, set[str]]
    # (message, user, emoji) of each row.
    reactions: list[tuple[str, int, str]]
    # Conversation -> for each message with reactions, its last pos and what clients are told.
    reaction_heads: dict[str, list[tuple[int, Reactions]]]
    # Conversation -> its pinned messages, newest first.
    pins: dict[str, list[str]]
    # Conversation -> the pos of the last change of its pins.
    pin_positions: dict[str, int]
    # Conversation -> the files of each message that has any.
    attached: dict[str, list[Attached]]
    # Conversation -> the pos of the last change of each message's files.
    file_positions: dict[str, set[int]]
    # All files of the members, by id.
    files: dict[str, FileState]

    @classmethod
    def of(cls, rooms: Iterable[str]) -> Self:
        """Returns empty tables of these conversations."""
        return cls(
            messages={room: [] for room in rooms},
            positions={},
            unseen={},
            member_positions={room: set() for room in rooms},
            versions={},
            reactions=[],
            reaction_heads={room: [] for room in rooms},
            pins={room: [] for room in rooms},
            pin_positions={},
            attached={room: [] for room in rooms},
            file_positions={room: set() for room in rooms},
            files={},
        )

    def may_see(self, user_id: int, room: str, seq: int) -> bool:
        """Whether the message was sent while the user was a member."""
        return not any(start < seq <= end for start, end in self.unseen.get((room, user_id), ()))

    def last_positions(self, room: str) -> set[int]:
        """Returns the pos of each message, its reactions and files, each membership, and of the pins."""
        return {
            *(message.pos for message in self.messages[room]),
            *(pos for pos, _ in self.reaction_heads[room]),
            *self.member_positions[room],
            *self.file_positions[room],
            self.pin_positions.get(room, 1),
        }


class HostTables(NamedTuple):
    """What is stored at the end for one host."""

    # External id -> (user id, name).
    users: dict[str, tuple[int, str | None]]
    # The host's key -> conversation.
    rooms: dict[str, str]
    # All conversations of the host's users.
    conversations: set[str]
    # Message -> (conversation, client_message_id, content).
    messages: dict[str, tuple[str, str, str | None]]


class TableReader:
    """Reads as the tables' owner, and waits for a server that is away."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def member_pos(self, room: str, user_id: int) -> int:
        """Returns the pos of a membership's last change."""
        rows = await self._rows(_MEMBER, (room, user_id))
        pos: int = rows[0][0]
        return pos

    async def read(self, rooms: Sequence[str]) -> Tables:
        """Reads the tables of these conversations."""
        asked = (list(rooms),)
        tables = Tables.of(rooms)
        for room, id_, seq, pos, version, sender, client_id, content, named in await self._rows(
            _MESSAGES, asked
        ):
            stored = Stored(id_, seq, pos, version, Key(sender, client_id), content, tuple(named))
            tables.messages[room].append(stored)
        for room, last_seq, last_pos in await self._rows(_HEADS, asked):
            tables.positions[room] = (last_seq, last_pos)
        for room, user_id, from_seq, to_seq in await self._rows(_ABSENCES, asked):
            tables.unseen.setdefault((room, user_id), []).append((from_seq, to_seq))
        for room, pos in await self._rows(_MEMBER_POSITIONS, asked):
            tables.member_positions[room].add(pos)
        for message_id, content in await self._rows(_VERSIONS, asked):
            tables.versions.setdefault(message_id, set()).add(content)
        tables.reactions.extend(await self._rows(_REACTIONS, asked))
        for room, message_id, pos, counts in await self._rows(_REACTION_HEADS, asked):
            tables.reaction_heads[room].append((pos, Reactions.of(message_id, counts)))
        for room, message_id in await self._rows(_PINS, asked):
            tables.pins[room].append(message_id)
        tables.pin_positions.update(await self._rows(_PIN_HEADS, asked))
        await self._read_files(tables, asked)
        return tables

    async def _read_files(self, tables: Tables, asked: tuple[list[str]]) -> None:
        for room, message_id, attachments in await self._rows(_ATTACHMENTS, asked):
            tables.attached[room].append(Attached.of(message_id, attachments))
        for room, pos in await self._rows(_FILE_HEADS, asked):
            tables.file_positions[room].add(pos)
        for file_id, *state in await self._rows(_FILES, asked):
            tables.files[file_id] = FileState(*state)

    async def hasten_examinations(self, within_s: int) -> None:
        """Lets gateways take at once the pending files that they may take within so many seconds."""
        await self._rows(_HASTEN_EXAMINATIONS, (within_s,))

    async def pending_files(self) -> list[str]:
        """Returns the ids of files that are not examined yet."""
        return [file_id for (file_id,) in await self._rows(_PENDING, ())]

    async def unindexed(self) -> list[str]:
        """Returns the conversations that the search index doesn't have whole."""
        return [room for (room,) in await self._rows(_UNINDEXED, ())]

    async def read_host(self, log: HostLog) -> HostTables:
        """Reads what is stored for a host."""
        users = {row[0]: (row[1], row[2]) for row in await self._rows(_HOST_USERS, (list(log.user_ids),))}
        rooms = dict(await self._rows(_HOST_ROOMS, (list(log.room_ids),)))
        ids = [user_id for user_id, _ in users.values()]
        conversations = {row[0] for row in await self._rows(_CONVERSATIONS_OF, (ids,))}
        messages = {
            id_: (room, client_id, content)
            for room, id_, *_, client_id, content, _ in await self._rows(_MESSAGES, (list(conversations),))
        }
        return HostTables(users, rooms, conversations, messages)

    async def terminate_all(self) -> None:
        """Ends every connection of the services, as an administrator may."""
        await self._rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename IN ('messenger_chat', 'messenger_presence')",
            (),
        )

    async def _rows(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        async with asyncio.timeout(_LIMIT_S):
            while True:
                try:
                    return await asyncio.to_thread(self._run, sql, parameters)
                except psycopg2.OperationalError:
                    await asyncio.sleep(_RETRY_S)

    def _run(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self._url, connect_timeout=_CONNECT_S)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall()
        finally:
            connection.close()
