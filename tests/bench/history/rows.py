"""Produces the rows of a filled database for COPY: numbers without holes, edits, tombstones.

`messages` yields lines in the order of time and counts along. What depends on the counts (conversations,
members, read positions) can be read after the last message.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.bench.history.shape import Conversation, order

MESSAGE_COLUMNS: Final = (
    *("conversation_id", "seq", "id", "pos", "created_pos", "version", "sender_id", "client_message_id"),
    *("type", "content", "created_at", "edited_at", "deleted_at"),
)
CONVERSATION_COLUMNS: Final = (
    *("id", "type", "title", "created_by", "created_at", "last_seq", "last_pos", "last_message_at"),
    "direct_key",
)
PARTICIPANT_COLUMNS: Final = (
    *("conversation_id", "user_id", "role", "joined_at", "left_at", "pos", "joined_pos", "joined_seq"),
)
ABSENCE_COLUMNS: Final = ("conversation_id", "user_id", "from_seq", "to_seq")
VERSION_COLUMNS: Final = ("message_id", "version", "content", "edited_at")
RECEIPT_COLUMNS: Final = ("conversation_id", "user_id", "last_read_seq")
SETTING_COLUMNS: Final = ("user_id", "conversation_id", "muted")

# Prime, so that they fall on every conversation alike.
_EDITED_EVERY: Final = 97
DELETED_EVERY: Final = 199
_LEFT_EVERY: Final = 10
_MUTED_EVERY: Final = 17
_NEVER_READ, _BEHIND = 0.05, 0.20
_BEHIND_MAX: Final = 50
_SPAN_S: Final = 365 * 86_400
_START: Final = datetime(2025, 1, 1, tzinfo=UTC)
NEVER_LOOKED: Final = 1
_TEXT: Final = "Plain words that stand for what people write to each other all day long. " * 6
_AWAY: Final = 2**63 - 1
_NULL: Final = r"\N"


def plain_text(number: int) -> str:
    """A text whose length alone depends on the message."""
    return _TEXT[: 20 + number * 7919 % 160]


class Rows:
    """The rows of one database; read `messages` first and to its end, then the others.

    `text` gives the text of the n-th message. It must need no escapes in COPY.
    """

    def __init__(
        self, planned: list[Conversation], seed: int, text: Callable[[int], str] = plain_text
    ) -> None:
        self.planned = planned
        self.count = sum(conversation.messages for conversation in planned)
        self._seed = seed
        self._text = text
        self._step = timedelta(seconds=_SPAN_S / self.count)
        self._seq = [0] * len(planned)
        # The creation has position 1.
        self._pos = [1] * len(planned)
        self._last_at = [_NULL] * len(planned)
        self._versions: list[str] = []

    def messages(self) -> Iterator[str]:
        """Yields every message, in the order in which they were sent."""
        moment = _START
        for number, index in enumerate(order(self.planned, self._seed)):
            moment += self._step
            yield self._message(number, index, moment)

    def conversations(self) -> Iterator[str]:
        """Yields every conversation in its final state."""
        for index, conversation in enumerate(self.planned):
            title = _NULL if conversation.type == "direct" else f"Conversation {index}"
            last_pos = self._pos[index] + _has_leaver(index, conversation)
            key = conversation.direct_key or _NULL
            yield (
                f"{conversation.id}\t{conversation.type}\t{title}\t{conversation.members[0]}\t{_START}\t"
                f"{self._seq[index]}\t{last_pos}\t{self._last_at[index]}\t{key}\n"
            )

    def participants(self) -> Iterator[str]:
        """Yields every membership. All joined at the creation; a few left after the last message."""
        for index, conversation in enumerate(self.planned):
            leaver = conversation.members[1] if _has_leaver(index, conversation) else None
            for place, user in enumerate(conversation.members):
                role = "admin" if place == 0 and conversation.type != "direct" else "member"
                left, pos = (self._last_at[index], self._pos[index] + 1) if user == leaver else (_NULL, 1)
                yield f"{conversation.id}\t{user}\t{role}\t{_START}\t{left}\t{pos}\t1\t0\n"

    def absences(self) -> Iterator[str]:
        """Yields the absences: a user who left stays away."""
        for index, conversation in enumerate(self.planned):
            if _has_leaver(index, conversation):
                yield f"{conversation.id}\t{conversation.members[1]}\t{self._seq[index]}\t{_AWAY}\n"

    def versions(self) -> Iterator[str]:
        """Yields the earlier texts of edited messages."""
        yield from self._versions

    def receipts(self) -> Iterator[str]:
        """Yields the read positions: most users read all, some all but the last few, some nothing."""
        chance = random.Random(self._seed + 1)
        for index, conversation in enumerate(self.planned):
            for user in conversation.members:
                read = _read_up_to(self._seq[index], chance)
                # One busy user has never looked into the largest conversation, where counting would take
                # longest.
                if read and (index, user) != (0, NEVER_LOOKED):
                    yield f"{conversation.id}\t{user}\t{read}\n"

    def settings(self) -> Iterator[str]:
        """Yields who muted which conversation."""
        members = ((user, c.id) for c in self.planned for user in c.members)
        for number, (user, id_) in enumerate(members):
            if number % _MUTED_EVERY == 0:
                yield f"{user}\t{id_}\tt\n"

    def _message(self, number: int, index: int, moment: datetime) -> str:
        conversation = self.planned[index]
        self._seq[index] = seq = self._seq[index] + 1
        self._pos[index] = pos = created_pos = self._pos[index] + 1
        self._last_at[index] = at = moment.isoformat()
        id_ = _message_id(number, moment)
        content, version, edited, deleted = self._text(number), 1, _NULL, _NULL
        if number % DELETED_EVERY == 0:
            self._pos[index] = pos = created_pos + 1
            content, deleted = _NULL, at
        elif number % _EDITED_EVERY == 0:
            self._pos[index] = pos = created_pos + 1
            version, edited = 2, at
            self._versions.append(f"{id_}\t1\tAn earlier text\t{at}\n")
        sender = conversation.writers[number % len(conversation.writers)]
        return (
            f"{conversation.id}\t{seq}\t{id_}\t{pos}\t{created_pos}\t{version}\t{sender}\tm{number}\ttext\t"
            f"{content}\t{at}\t{edited}\t{deleted}\n"
        )


def _has_leaver(index: int, conversation: Conversation) -> bool:
    return index % _LEFT_EVERY == 0 and conversation.messages > 0 and len(conversation.members) > 2


def _message_id(number: int, moment: datetime) -> str:
    """Returns a UUIDv7 of that moment."""
    stamp = f"{int(moment.timestamp() * 1000):012x}"
    return f"{stamp[:8]}-{stamp[8:]}-7000-8000-{number:012x}"


def _read_up_to(last_seq: int, chance: random.Random) -> int:
    fate = chance.random()
    if fate < _NEVER_READ:
        return 0
    return max(0, last_seq - chance.randint(1, _BEHIND_MAX)) if fate < _BEHIND else last_seq
