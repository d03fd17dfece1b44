"""Audits the data in the schema `messenger`: python -m chat_api.check [--repair] [--files FOLDER|--objects].

The audit runs as the role `messenger_definer`, because row-level security binds even the tables' owner; the
owner may take that role. Only `--repair` changes data, and only what follows from other data. With `--files`,
the audit also compares the files with the folder that has their bytes, with `--objects` with a bucket, whose
listing comes on standard input: python -m gateway.files.s3.listing. Of the search index it compares a sample
with the messages; python -m chat_api.reindex rebuilds what is wrong there.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

import psycopg2
from psycopg2.extensions import cursor as Cursor

from chat_api.audit_rule import Rule, violations
from chat_api.file_check import Found, Incomplete, compare_files, in_bucket, in_folder
from chat_api.search_check import compare_index
from chat_api.storage.kinds import KINDS

_CONNECT_TIMEOUT_S: Final = 10
# Every row that has a `pos`: its conversation, and whether it may share the pos.
_POSITIONS: Final = " UNION ALL ".join(kind.positions for kind in KINDS)
_TAKEN: Final = f"({_POSITIONS}) AS p (conversation_id, pos, is_shared)"
# Rows x of mentions that no message accounts for.
_NOT_MENTIONED: Final = """messenger.mentions x WHERE NOT EXISTS (
    SELECT FROM messenger.messages m
     WHERE m.conversation_id = x.conversation_id AND m.seq = x.seq AND m.deleted_at IS NULL
       AND x.user_id IN (SELECT messenger.mention_rows(m.mentions, m.sender_id)))"""
# Users o whom a message m mentions, without a row of that.
_WITHOUT_ROW: Final = """messenger.messages m
    CROSS JOIN LATERAL messenger.mention_rows(m.mentions, m.sender_id) AS o (user_id)
    WHERE m.mentions IS NOT NULL AND m.deleted_at IS NULL AND NOT EXISTS (
    SELECT FROM messenger.mentions x
     WHERE x.conversation_id = m.conversation_id AND x.user_id = o.user_id AND x.seq = m.seq)"""

# What a message m carries of the files that are linked to it. If links are missing, another rule tells.
_FILES: Final = """messenger.describe_files(ARRAY(
    SELECT file_id FROM messenger.file_links WHERE message_id = m.id ORDER BY place))"""
_STALE_FILES: Final = f"""m.attachments IS NOT NULL AND m.deleted_at IS NULL
    AND m.attachments <> {_FILES}"""


RULES: Final = (
    Rule(
        "last_seq is the seq of the last message",
        """SELECT c.id, c.last_seq, max(m.seq) FROM messenger.conversations c
             LEFT JOIN messenger.messages m ON m.conversation_id = c.id
            GROUP BY c.id HAVING c.last_seq <> coalesce(max(m.seq), 0)""",
        """UPDATE messenger.conversations c SET last_seq = m.seq
             FROM (SELECT conversation_id, max(seq) AS seq FROM messenger.messages GROUP BY 1) m
            WHERE m.conversation_id = c.id AND c.last_seq < m.seq""",
    ),
    Rule(
        "seq has no holes",
        """SELECT conversation_id, count(*), max(seq) FROM messenger.messages
            GROUP BY 1 HAVING count(*) <> max(seq) OR min(seq) <> 1""",
    ),
    Rule(
        "no pos is above last_pos",
        f"""SELECT c.id, c.last_pos, max(p.pos) FROM messenger.conversations c
              JOIN {_TAKEN} ON p.conversation_id = c.id
             GROUP BY c.id HAVING max(p.pos) > c.last_pos""",
        f"""UPDATE messenger.conversations c SET last_pos = p.pos
              FROM (SELECT conversation_id, max(pos) AS pos FROM {_TAKEN} GROUP BY 1) p
             WHERE p.conversation_id = c.id AND c.last_pos < p.pos""",
    ),
    Rule(
        "a row has the pos last_pos",
        f"""SELECT c.id, c.last_pos, max(p.pos) FROM messenger.conversations c
              JOIN {_TAKEN} ON p.conversation_id = c.id
             GROUP BY c.id HAVING max(p.pos) < c.last_pos""",
    ),
    Rule(
        "no two messages have the same pos",
        """SELECT conversation_id, pos, count(*) FROM messenger.messages GROUP BY 1, 2 HAVING count(*) > 1""",
    ),
    Rule(
        "only members who joined together share a pos",
        f"""SELECT conversation_id, pos, count(*) FROM {_TAKEN}
             GROUP BY 1, 2 HAVING count(*) > 1 AND NOT bool_and(is_shared)""",
    ),
    Rule(
        "no read position is above last_seq",
        """SELECT r.conversation_id, r.user_id, r.last_read_seq, c.last_seq FROM messenger.read_receipts r
             JOIN messenger.conversations c ON c.id = r.conversation_id WHERE r.last_read_seq > c.last_seq""",
        """UPDATE messenger.read_receipts r SET last_read_seq = c.last_seq FROM messenger.conversations c
            WHERE c.id = r.conversation_id AND r.last_read_seq > c.last_seq""",
    ),
    Rule(
        "every read position belongs to a present or former member",
        """SELECT r.conversation_id, r.user_id FROM messenger.read_receipts r
            WHERE NOT EXISTS (SELECT FROM messenger.conversation_participants p
                               WHERE p.conversation_id = r.conversation_id AND p.user_id = r.user_id)""",
    ),
    Rule(
        "every message belongs to a conversation, and its sender was a member or the system",
        """SELECT m.conversation_id, m.seq, m.sender_id FROM messenger.messages m
            WHERE NOT EXISTS (SELECT FROM messenger.conversations c WHERE c.id = m.conversation_id)
               OR m.sender_id <> 0
              AND NOT EXISTS (SELECT FROM messenger.conversation_participants p
                               WHERE p.conversation_id = m.conversation_id AND p.user_id = m.sender_id)""",
    ),
    Rule(
        "every mention is one of a message that is not deleted and mentions that user",
        f"SELECT x.conversation_id, x.seq, x.user_id FROM {_NOT_MENTIONED}",
        f"DELETE FROM {_NOT_MENTIONED}",
    ),
    Rule(
        "every user whom a message mentions has that mention",
        f"SELECT m.conversation_id, m.seq, o.user_id FROM {_WITHOUT_ROW}",
        f"""INSERT INTO messenger.mentions (conversation_id, user_id, seq, sender_id)
            SELECT m.conversation_id, o.user_id, m.seq, m.sender_id FROM {_WITHOUT_ROW}""",
    ),
    Rule(
        "every mentioned user is a present or former member",
        """SELECT x.conversation_id, x.seq, x.user_id FROM messenger.mentions x
            WHERE x.user_id <> 0
              AND NOT EXISTS (SELECT FROM messenger.conversation_participants p
                               WHERE p.conversation_id = x.conversation_id AND p.user_id = x.user_id)""",
    ),
    Rule(
        "every membership belongs to a conversation",
        """SELECT p.conversation_id, p.user_id FROM messenger.conversation_participants p
            WHERE NOT EXISTS (SELECT FROM messenger.conversations c WHERE c.id = p.conversation_id)""",
    ),
    Rule(
        "no deleted message has files",
        """SELECT l.conversation_id, l.message_id, l.file_id FROM messenger.file_links l
             JOIN messenger.messages m ON m.id = l.message_id WHERE m.deleted_at IS NOT NULL""",
        """DELETE FROM messenger.file_links l USING messenger.messages m
            WHERE m.id = l.message_id AND m.deleted_at IS NOT NULL""",
    ),
    Rule(
        "a message carries the files that are linked to it",
        """SELECT m.conversation_id, m.id, count(l.file_id) FROM messenger.messages m
             LEFT JOIN messenger.file_links l ON l.message_id = m.id
            WHERE m.attachments IS NOT NULL AND m.deleted_at IS NULL
            GROUP BY m.id, m.conversation_id, m.attachments
           HAVING count(l.file_id) <> jsonb_array_length(m.attachments)""",
    ),
    Rule(
        "a message carries the present state of its files",
        f"SELECT m.conversation_id, m.id FROM messenger.messages m WHERE {_STALE_FILES}",
        f"UPDATE messenger.messages m SET attachments = {_FILES} WHERE {_STALE_FILES}",
    ),
    Rule(
        "a file that is pending is in the queue of those that are examined",
        "SELECT id, state, process_at FROM messenger.files WHERE state = 'pending' AND process_at IS NULL",
        "UPDATE messenger.files SET process_at = now() WHERE state = 'pending' AND process_at IS NULL",
    ),
    Rule(
        "a file of a message is kept, and any other is to be removed",
        """SELECT f.id, f.state, f.due_at FROM messenger.files f
            WHERE (f.due_at IS NULL) <> EXISTS (SELECT FROM messenger.file_links l WHERE l.file_id = f.id)""",
        """UPDATE messenger.files f SET due_at = CASE WHEN l.is_linked THEN NULL ELSE now() END
             FROM (SELECT id, EXISTS (SELECT FROM messenger.file_links WHERE file_id = files.id) AS is_linked
                     FROM messenger.files) l
            WHERE l.id = f.id AND (f.due_at IS NULL) <> l.is_linked""",
    ),
    Rule(
        "a deleted conversation has no members, and a direct conversation has two, or one with oneself",
        """SELECT c.id, c.type, count(p.user_id) FROM messenger.conversations c
             LEFT JOIN messenger.conversation_participants p ON p.conversation_id = c.id AND p.left_at IS NULL
            GROUP BY c.id HAVING c.deleted_at IS NOT NULL AND count(p.user_id) > 0
                               OR c.type = 'direct' AND c.deleted_at IS NULL AND count(p.user_id) <>
                                  CASE split_part(c.direct_key, ':', 1)
                                  WHEN split_part(c.direct_key, ':', 2) THEN 1 ELSE 2 END""",
    ),
)


def audit(cursor: Cursor, *, repair: bool = False) -> list[str]:
    """One line per violation. With `repair`, corrects what it can, with a line per repaired rule."""
    cursor.execute("SET ROLE messenger_definer")
    found: list[str] = []
    for rule in RULES:
        cursor.execute(rule.query)
        rows = cursor.fetchall()
        found += violations(rule.name, rows)
        if rows and repair and rule.repair:
            cursor.execute(rule.repair)
            found.append(f"repaired: {rule.name}: {cursor.rowcount}")
    return found + compare_index(cursor)


def run(url: str, *, repair: bool, look: Callable[[], Found] | None = None) -> int:
    """Prints the violations. Returns the exit code: 0 if there are none, otherwise 1.

    `look` looks into the store of files; without it, that isn't compared.
    """
    try:
        with psycopg2.connect(url, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
            # One snapshot of all tables, while the service keeps running.
            connection.set_session(isolation_level="REPEATABLE READ", readonly=not repair)
            with connection.cursor() as cursor:
                found = audit(cursor, repair=repair)
        found += _compare(url, look) if look is not None else []
    except Incomplete as error:
        print(f"the audit failed: {error}", file=sys.stderr)
        return 1
    except psycopg2.Error as error:
        print(f"the audit failed: {str(error).strip().splitlines()[0]}", file=sys.stderr)
        return 1
    print(*found, f"{len(RULES)} rules, {len(found)} findings", sep="\n")
    return 1 if found else 0


def _compare(url: str, look: Callable[[], Found]) -> list[str]:
    with closing(psycopg2.connect(url, connect_timeout=_CONNECT_TIMEOUT_S)) as connection:
        connection.set_session(readonly=True, autocommit=True)
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE messenger_definer")
            return compare_files(cursor, look)


def main() -> int:
    """Runs `python -m chat_api.check`. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m chat_api.check", description="Audits the data.")
    parser.add_argument("--repair", action="store_true", help="correct numbers that follow from other data")
    stores = parser.add_mutually_exclusive_group()
    stores.add_argument("--files", type=Path, metavar="FOLDER", help="compare with MESSENGER_FILES_DIR")
    stores.add_argument("--objects", action="store_true", help="compare with a bucket, listed on stdin")
    options = parser.parse_args()
    url = os.environ.get("MESSENGER_DATABASE_URL")
    if not url:
        print("MESSENGER_DATABASE_URL is not set", file=sys.stderr)
        return 1
    look = partial(in_folder, options.files) if options.files is not None else None
    if options.objects:
        look = partial(in_bucket, sys.stdin)
    return run(url, repair=options.repair, look=look)


if __name__ == "__main__":
    sys.exit(main())
