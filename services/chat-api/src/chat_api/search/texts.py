"""Says which texts of a message a search looks into, for the index and for queries alike."""

from __future__ import annotations

from collections.abc import Iterable

from messenger_shared.contract.text.fold import fold

_LINKS = ("http://", "https://")


def searched_texts(content: str | None, file_names: Iterable[str]) -> list[str]:
    """The folded texts of a message: its content, and the names of its files. A deleted message has none."""
    return [fold(text) for text in (content, *file_names) if text]


def has_link(content: str | None) -> bool:
    """Whether the content has the address of a web page."""
    # Hardly any message has this part, and to look for it takes no time.
    return content is not None and "://" in content and any(link in content.lower() for link in _LINKS)
