"""Random conversations to search, and a plain search to compare with."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import psycopg2.extras
from psycopg2.extensions import connection as Connection

from chat_api.search.grams import initials, is_initial
from chat_api.search.query import Query
from messenger_shared.contract.identifiers import new_id
from messenger_shared.contract.text.fold import fold

VOCABULARY: Final = (
    *("회의", "회의록", "하이", "ㅎㅇ", "가", "각", "힣", unicodedata.normalize("NFD", "회의"), "ㅠㅠ"),
    *("Straße", "strasse", "ﬁn", "fin", "ＡＢ", "ab", "a", "b", "aba", "İs", "ıs", "cafe\u0301", "café"),
    *("日本", "ｶﾞﾀ", "ガタ", "😀", "สวัสดี", "سلام", "a\u200bb", "http://x.example/회", "x" * 300),
)
START: Final = datetime(2025, 1, 1, tzinfo=UTC)
_MESSAGES: Final = """
INSERT INTO messenger.messages (conversation_id, seq, id, pos, created_pos, sender_id, type, content,
                                file_url, file_name, attachments, created_at) VALUES %s
"""
# What history shows: everybody's messages with those who see them.
_SEEN: Final = """
SELECT m.id::text, m.conversation_id::text, m.sender_id, m.content, m.file_name, m.attachments, m.created_at,
       m.file_url IS NOT NULL OR m.attachments IS NOT NULL
  FROM messenger.messages m
  JOIN messenger.conversation_participants p ON p.conversation_id = m.conversation_id AND p.left_at IS NULL
  JOIN messenger.conversations c ON c.id = m.conversation_id AND c.deleted_at IS NULL
 WHERE p.user_id = %s AND m.deleted_at IS NULL AND NOT EXISTS (
       SELECT FROM messenger.participant_absences a
        WHERE a.conversation_id = m.conversation_id AND a.user_id = p.user_id
          AND m.seq > a.from_seq AND m.seq <= a.to_seq)
 ORDER BY m.created_at DESC, m.id DESC
"""


class SeenMessage(NamedTuple):
    """A message that history shows."""

    id: str
    conversation_id: str
    sender_id: int
    content: str | None
    file_name: str | None
    attachments: list[dict[str, Any]] | None
    created_at: datetime
    has_file: bool


class World:
    """Conversations of some users. What happens in them is stored past all rules, to be quick."""

    def __init__(self, connection: Connection, seed: int) -> None:
        self._connection = connection
        self._random = random.Random(seed)
        self.users = [self._random.randrange(1, 2**52) for _ in range(4)]
        self.conversations = [new_id() for _ in range(self._random.choice((1, 3, 6)))]
        self.times: list[datetime] = [START]
        for id_ in self.conversations:
            self._run(
                "INSERT INTO messenger.conversations (id, type, title, created_by, last_pos) "
                "VALUES (%s, 'group', 't', 1, 1)",
                id_,
            )
            for user in self.users[: self._random.randrange(1, 5)]:
                self._run(
                    "INSERT INTO messenger.conversation_participants "
                    "(conversation_id, user_id, role, pos, joined_pos) VALUES (%s, %s, 'member', 1, 1)",
                    id_,
                    user,
                )

    def live(self) -> None:
        """Lets something happen in each conversation."""
        for id_ in self.conversations:
            self._send(id_, self._random.choice((0, 1, 5, 20, 70)))
            for _ in range(self._random.randrange(4)):
                self._random.choice((self._edit, self._delete, self._come_or_go))(id_)
        if self._random.random() < 0.1:
            self._run(
                "UPDATE messenger.conversations SET deleted_at = now() WHERE id = %s", self.conversations[0]
            )

    def text(self) -> str:
        """A text of a few words."""
        words = self._random.choices(VOCABULARY, k=self._random.randrange(1, 5))
        return self._random.choice((" ", " ", "", "\n")).join(words)

    def seen_by(self, user: int) -> list[SeenMessage]:
        """What history shows the user, the newest first."""
        return [SeenMessage(*row) for row in self._run(_SEEN, user)]

    def _send(self, id_: str, count: int) -> None:
        [(seq, pos)] = self._run("SELECT last_seq, last_pos FROM messenger.conversations WHERE id = %s", id_)
        rows = []
        for number in range(1, count + 1):
            # Some of them at the same time, also in other conversations.
            if self._random.random() < 0.7:
                self.times.append(self.times[-1] + timedelta(seconds=self._random.choice((0.001, 3, 5_000))))
            content: str | None = self.text()
            name = self.text()[:50] if self._random.random() < 0.1 else None
            files = [{"name": self.text()[:50]}, {"name": "x"}] if self._random.random() < 0.1 else None
            rows.append(
                (
                    *(id_, seq + number, new_id(), pos + number, pos + number),
                    *(self._random.choice(self.users), "text", content, name and "http://x.example", name),
                    *(files and psycopg2.extras.Json(files), self.times[-1]),
                )
            )
        if not rows:
            return
        with self._connection.cursor() as cursor:
            psycopg2.extras.execute_values(cursor, _MESSAGES, rows)
        self._run(
            "UPDATE messenger.conversations SET last_seq = last_seq + %s, last_pos = last_pos + %s, "
            "last_message_at = %s WHERE id = %s",
            *(count, count, self.times[-1], id_),
        )

    def _edit(self, id_: str) -> None:
        self._change(id_, "content = %s, edited_at = now()", self.text())

    def _delete(self, id_: str) -> None:
        gone = "content = NULL, file_url = NULL, file_name = NULL, attachments = NULL, deleted_at = %s"
        self._change(id_, gone, self.times[-1])

    def _change(self, id_: str, what: str, value: Any) -> None:
        found = self._run(
            "SELECT id FROM messenger.messages WHERE conversation_id = %s AND deleted_at IS NULL", id_
        )
        if found:
            [(pos,)] = self._next_pos(id_)
            changed = self._random.choice(found)[0]
            self._run(f"UPDATE messenger.messages SET {what}, pos = %s WHERE id = %s", value, pos, changed)

    def _come_or_go(self, id_: str) -> None:
        user = self._random.choice(self.users)
        where = "conversation_id = %s AND user_id = %s"
        self._next_pos(id_)
        left = self._run(
            f"SELECT left_at IS NOT NULL FROM messenger.conversation_participants WHERE {where}", id_, user
        )
        if not left:
            return
        last_seq = "(SELECT last_seq FROM messenger.conversations WHERE id = %s)"
        table = "messenger.participant_absences"
        if left[0][0]:
            self._run(
                f"UPDATE {table} SET to_seq = {last_seq} WHERE {where} AND to_seq = 2^63::numeric - 1",
                *(id_, id_, user),
            )
        else:
            self._run(
                f"INSERT INTO {table} VALUES (%s, %s, {last_seq}, 2^63::numeric - 1) ON CONFLICT "
                "(conversation_id, user_id, from_seq) DO UPDATE SET to_seq = excluded.to_seq",
                *(id_, user, id_),
            )
        self._run(
            "UPDATE messenger.conversation_participants SET left_at = CASE WHEN left_at IS NULL THEN now() "
            f"END WHERE {where}",
            *(id_, user),
        )

    def _next_pos(self, id_: str) -> list[tuple[Any, ...]]:
        return self._run(
            "UPDATE messenger.conversations SET last_pos = last_pos + 1 WHERE id = %s RETURNING last_pos", id_
        )

    def _run(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []


def expected(seen: Sequence[SeenMessage], query: Query) -> list[str]:
    """The ids of what the query finds among these messages, by looking at each character."""
    return [message.id for message in seen if _passes(message, query) and _has_words(message, query.text)]


def _passes(message: SeenMessage, query: Query) -> bool:
    links = ("http://", "https://")
    return (
        (query.conversation_id is None or message.conversation_id == query.conversation_id)
        and (query.sender_id is None or message.sender_id == query.sender_id)
        and (query.after is None or message.created_at > datetime.fromisoformat(query.after))
        and (query.before is None or message.created_at < datetime.fromisoformat(query.before))
        and (query.has != "file" or message.has_file)
        and (query.has != "link" or any(link in (message.content or "").lower() for link in links))
    )


def _has_words(message: SeenMessage, text: str) -> bool:
    names = [file["name"] for file in message.attachments or ()]
    texts = [fold(one) for one in (message.content, message.file_name, *names) if one]
    return all(any(_is_in(word, one) for one in texts) for word in fold(text).split())


def _is_in(word: str, text: str) -> bool:
    if not any(map(is_initial, word)):
        return word in text
    return any(
        all(
            character == wanted or (is_initial(wanted) and initials(character) == wanted)
            for wanted, character in zip(word, text[start:], strict=False)
        )
        for start in range(len(text) - len(word) + 1)
    )
