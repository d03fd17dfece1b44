"""Audits what lies in the schema `messenger`: python -m chat_api.check [--repair].

It reads as `messenger_definer`, which the tables' owner may become: the owner itself is behind the policies.
Nothing is changed unless that is asked for, and then only numbers that follow from others.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from typing import Final

import psycopg2
from psycopg2.extensions import cursor as Cursor

SHOWN: Final = 20
_CONNECT_TIMEOUT_S: Final = 10
# Everything that took a `pos` and still has it, with its conversation.
_POSITIONS: Final = """
    SELECT conversation_id, pos FROM messenger.messages
    UNION ALL SELECT conversation_id, pos FROM messenger.conversation_participants
    UNION ALL SELECT id, title_pos FROM messenger.conversations WHERE title_pos > 0"""


@dataclass(frozen=True, slots=True)
class Rule:
    """What has to hold: `query` yields a row, conversation first, for whatever breaks it."""

    name: str
    query: str
    # What sets it right, if it follows from the rest.
    repair: str = ""


RULES: Final = (
    Rule(
        "the last seq is that of the last message",
        """SELECT c.id, c.last_seq, max(m.seq) FROM messenger.conversations c
             LEFT JOIN messenger.messages m ON m.conversation_id = c.id
            GROUP BY c.id HAVING c.last_seq <> coalesce(max(m.seq), 0)""",
        """UPDATE messenger.conversations c SET last_seq = m.seq
             FROM (SELECT conversation_id, max(seq) AS seq FROM messenger.messages GROUP BY 1) m
            WHERE m.conversation_id = c.id AND c.last_seq < m.seq""",
    ),
    Rule(
        "seq has no hole",
        """SELECT conversation_id, count(*), max(seq) FROM messenger.messages
            GROUP BY 1 HAVING count(*) <> max(seq) OR min(seq) <> 1""",
    ),
    Rule(
        "no pos is above the last one",
        f"""SELECT c.id, c.last_pos, max(p.pos) FROM messenger.conversations c
              JOIN ({_POSITIONS}) p ON p.conversation_id = c.id
             GROUP BY c.id HAVING max(p.pos) > c.last_pos""",
        f"""UPDATE messenger.conversations c SET last_pos = p.pos
              FROM (SELECT conversation_id, max(pos) AS pos FROM ({_POSITIONS}) all_of_them GROUP BY 1) p
             WHERE p.conversation_id = c.id AND c.last_pos < p.pos""",
    ),
    Rule(
        "a pos is that of one message",
        """SELECT conversation_id, pos, count(*) FROM messenger.messages GROUP BY 1, 2 HAVING count(*) > 1""",
    ),
    Rule(
        "nobody has read what is not there",
        """SELECT r.conversation_id, r.user_id, r.last_read_seq, c.last_seq FROM messenger.read_receipts r
             JOIN messenger.conversations c ON c.id = r.conversation_id WHERE r.last_read_seq > c.last_seq""",
        """UPDATE messenger.read_receipts r SET last_read_seq = c.last_seq FROM messenger.conversations c
            WHERE c.id = r.conversation_id AND r.last_read_seq > c.last_seq""",
    ),
    Rule(
        "who has read was a member",
        """SELECT r.conversation_id, r.user_id FROM messenger.read_receipts r
            WHERE NOT EXISTS (SELECT FROM messenger.conversation_participants p
                               WHERE p.conversation_id = r.conversation_id AND p.user_id = r.user_id)""",
    ),
    Rule(
        "a message has its conversation, and was written by a member or the system",
        """SELECT m.conversation_id, m.seq, m.sender_id FROM messenger.messages m
            WHERE NOT EXISTS (SELECT FROM messenger.conversations c WHERE c.id = m.conversation_id)
               OR m.sender_id <> 0
              AND NOT EXISTS (SELECT FROM messenger.conversation_participants p
                               WHERE p.conversation_id = m.conversation_id AND p.user_id = m.sender_id)""",
    ),
    Rule(
        "a membership has its conversation",
        """SELECT p.conversation_id, p.user_id FROM messenger.conversation_participants p
            WHERE NOT EXISTS (SELECT FROM messenger.conversations c WHERE c.id = p.conversation_id)""",
    ),
    Rule(
        "a conversation with members is not deleted, and a direct one has two",
        """SELECT c.id, c.type, count(p.user_id) FROM messenger.conversations c
             LEFT JOIN messenger.conversation_participants p ON p.conversation_id = c.id AND p.left_at IS NULL
            GROUP BY c.id HAVING c.deleted_at IS NOT NULL AND count(p.user_id) > 0
                               OR c.type = 'direct' AND c.deleted_at IS NULL AND count(p.user_id) <> 2""",
    ),
)


def audit(cursor: Cursor, *, repair: bool = False) -> list[str]:
    """What is wrong, a line for each; with `repair`, what can be set right is, and is told all the same."""
    cursor.execute("SET ROLE messenger_definer")
    found: list[str] = []
    for rule in RULES:
        cursor.execute(rule.query)
        rows = cursor.fetchall()
        found += [f"not so: {rule.name}: {', '.join(map(str, row))}" for row in rows[:SHOWN]]
        if len(rows) > SHOWN:
            found.append(f"not so: {rule.name}: {len(rows) - SHOWN} more")
        if rows and repair and rule.repair:
            cursor.execute(rule.repair)
            found.append(f"repaired: {rule.name}: {cursor.rowcount}")
    return found


def run(url: str, *, repair: bool) -> int:
    """Prints what is wrong in the database; 0 if nothing is."""
    try:
        with psycopg2.connect(url, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
            # One moment of all tables, while everybody goes on.
            connection.set_session(isolation_level="REPEATABLE READ", readonly=not repair)
            with connection.cursor() as cursor:
                found = audit(cursor, repair=repair)
    except psycopg2.Error as error:
        print(f"the audit failed: {str(error).strip().splitlines()[0]}", file=sys.stderr)
        return 1
    print(*found, f"{len(RULES)} rules, {len(found)} findings", sep="\n")
    return 1 if found else 0


def main() -> int:
    """What `python -m chat_api.check` does; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m chat_api.check", description="Audits the data.")
    parser.add_argument("--repair", action="store_true", help="set right what follows from other numbers")
    options = parser.parse_args()
    url = os.environ.get("MESSENGER_DATABASE_URL")
    if not url:
        print("MESSENGER_DATABASE_URL is not set", file=sys.stderr)
        return 1
    return run(url, repair=options.repair)


if __name__ == "__main__":
    sys.exit(main())
