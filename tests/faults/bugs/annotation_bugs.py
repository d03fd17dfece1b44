"""Planted bugs of reactions, pins and mentions."""

from __future__ import annotations

from tests.faults.bugs import short_campaigns
from tests.faults.bugs.planting import Edit, bug, bugs

GATEWAY = "services/gateway/src/gateway"
CHAT_API = "services/chat-api/src/chat_api"
TABLES = f"{CHAT_API}/migrations/0009_reactions_and_pins.sql"

ANNOTATIONS = (
    bugs(
        "who has read a mention still has it unread, and reactions take a pos too many",
        short_campaigns.REACTIONS,
        "stale hole",
        Edit(
            f"{CHAT_API}/storage/receipts.py",
            "CASE WHEN k.from_seq IS NULL THEN GREATEST(r.last_read_seq, 0) ELSE k.from_seq - 1 END\n",
            "coalesce(k.from_seq - 1, 0)\n",
        ),
        Edit(
            TABLES,
            "SET last_pos = last_pos + 1\n          FROM messages m WHERE m.id = message",
            "SET last_pos = last_pos + 2\n          FROM messages m WHERE m.id = message",
        ),
    ),
    bug(
        "reactions that failed count as stored",
        short_campaigns.REACTIONS_WHILE_POSTGRES_ENDS,
        "lost",
        Edit(
            f"{CHAT_API}/reaction_batcher.py",
            "        except AppError as error:\n            _answer_all(batch, error)\n",
            """\
        except AppError:
            for reaction, answer in batch:
                mine = [reaction.emoji] if reaction.on else []
                answer.done() or answer.set_result({"counts": [], "mine": mine})
""",
        ),
    ),
    bug(
        "a reaction that is set again counts again",
        short_campaigns.REACTIONS,
        "doubled",
        Edit(TABLES, "    PRIMARY KEY (message_id, user_id, emoji)\n", "    UNIQUE (id)\n"),
    ),
    bug(
        "who has reacted is told of reactions after they left",
        short_campaigns.REACTIONS_AND_CHURN,
        "leaked",
        Edit(
            f"{GATEWAY}/delivery/rooms.py",
            "        self._ring_budget.touch(room.stream)\n        start = 0\n",
            """\
        self._ring_budget.touch(room.stream)
        start = 0
        import orjson
        for event in events:
            for row in orjson.loads(event.frame).get("counts", ()):
                for member in map(self._hub.members.get, row["user_ids"]):
                    if member is not None and member.user_id not in room.members:
                        self._hub.emit_to(member, event)
""",
        ),
    ),
)
