"""Judges what a host application was told. Pure: it reads only the log and the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.faults.record.database import HostTables
from tests.faults.record.history import ARCHIVE
from tests.faults.record.host_log import HostLog
from tests.faults.record.run import Violation


def check_host(log: HostLog, tables: HostTables) -> list[Violation]:
    """Returns all broken promises."""
    checks = (_refusals, _users, _rooms, _sends)
    return [violation for check in checks for violation in check(log, tables)]


def _refusals(log: HostLog, tables: HostTables) -> Iterator[Violation]:
    for what in log.refusals:
        yield Violation("refused", ARCHIVE, "", f"a host: {what}")


def _users(log: HostLog, tables: HostTables) -> Iterator[Violation]:
    """Finds a user with two ids, and one without the last acknowledged name."""
    for external_id, ids in log.user_ids.items():
        user_id, name = tables.users.get(external_id, (0, None))
        if ids - {user_id}:
            kind = "doubled" if user_id else "lost"
            yield Violation(kind, ARCHIVE, "", f"user {external_id}: answered {ids}, stored {user_id}")
        elif name != log.names[external_id]:
            yield Violation("stale", ARCHIVE, "", f"{external_id}: {log.names[external_id]}, stored {name}")


def _rooms(log: HostLog, tables: HostTables) -> Iterator[Violation]:
    """Finds a key with two conversations, and a conversation of the host's users without a key."""
    for key, ids in log.room_ids.items():
        stored = tables.rooms.get(key)
        if ids - {stored}:
            kind = "doubled" if stored else "lost"
            yield Violation(kind, ARCHIVE, str(stored), f"key {key}: answered {ids}, stored {stored}")
    for room in tables.conversations - set(tables.rooms.values()):
        yield Violation("doubled", ARCHIVE, room, "a conversation of the host's users without a key")


def _sends(log: HostLog, tables: HostTables) -> Iterator[Violation]:
    """Finds a message that was acknowledged and isn't stored exactly once, with the text it had."""
    times = Counter(key for _, key, _ in tables.messages.values())
    for key, number in times.items():
        if number > 1:
            yield Violation("doubled", ARCHIVE, "", f"{key} is stored {number} times")
    for send in log.sends.values():
        if len(send.ids) > 1:
            yield Violation("doubled", ARCHIVE, send.room, f"answered with {send.ids}: {send.key}")
        for id_ in send.ids:
            if tables.messages.get(id_) != (send.room, send.key, send.content):
                yield Violation("lost", ARCHIVE, send.room, f"acked and not stored so: {send}")
