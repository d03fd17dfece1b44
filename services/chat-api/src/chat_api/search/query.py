"""What a search asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from chat_api.search.grams import HAS_FILE, HAS_LINK, gram, sender_gram
from chat_api.search.matching import Words
from chat_api.search.texts import has_link, searched_texts
from messenger_shared.contract.operations.search import FILE, LINK

# When a message was sent, in µs since 1970, and its id: the order of results, newest first.
Moment = tuple[int, str]
# No message is later.
LATEST_US: Final = 253_402_300_799_999_999
# After all messages of the same time.
LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class Message(NamedTuple):
    """What a search reads of a message."""

    moment: Moment
    content: str | None
    file_names: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """The words and the filters of a search. Times are RFC 3339 texts, and excluded."""

    text: str
    words: Words
    conversation_id: str | None = None
    sender_id: int | None = None
    has: str | None = None
    after: str | None = None
    before: str | None = None

    @classmethod
    def of(cls, body: dict[str, Any]) -> Query:
        """The query of a valid request."""
        names = ("conversation_id", "from", "has", "after", "before")
        return cls(body["q"], Words(body["q"]), *(body[name] for name in names))

    @property
    def grams(self) -> list[int]:
        """What a block of the index has if it may have such a message."""
        grams = self.words.grams
        if self.sender_id is not None:
            grams.add(sender_gram(self.sender_id))
        if self.has is not None:
            grams.add(gram(HAS_FILE if self.has == FILE else HAS_LINK))
        return sorted(grams)

    def finds(self, content: str | None, file_names: Sequence[str]) -> bool:
        """Whether a message has all words, and a link if it must have one. The rest is for the store."""
        if self.has == LINK and not has_link(content):
            return False
        return self.words.are_in(searched_texts(content, file_names))
