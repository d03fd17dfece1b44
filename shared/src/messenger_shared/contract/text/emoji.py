"""Recognises emoji: the sequences that Unicode recommends for general interchange (RGI)."""

from __future__ import annotations

from functools import cache
from typing import Final

from emoji import EMOJI_DATA, STATUS

# Asks for the coloured form. Texts often leave it out.
_VARIATION_SELECTOR: Final = "\ufe0f"
_STATUS: Final = (STATUS["fully_qualified"], STATUS["component"])


def qualified(text: str) -> str | None:
    """Returns the fully qualified form of an emoji, with or without U+FE0F; None for other texts."""
    return _by_bare_form().get(text.replace(_VARIATION_SELECTOR, ""))


@cache
def _by_bare_form() -> dict[str, str]:
    known = (text for text, data in EMOJI_DATA.items() if data["status"] in _STATUS)
    return {text.replace(_VARIATION_SELECTOR, ""): text for text in known}
