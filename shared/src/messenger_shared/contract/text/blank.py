"""Decides whether text is blank, that is, has no visible character.

Blank text has only white space, controls, and characters that Unicode draws as nothing. The web client has
the same rule; the test cases in shared/vectors/blank.json keep both the same.
"""

from __future__ import annotations

import re
from typing import Final

# White space, controls, Unicode's default ignorable code points, and the Braille pattern without dots, as the
# inside of a character class. JSON Schema uses it too, and supports nothing above U+FFFF.
INVISIBLE_BELOW_10000: Final = (
    r"\s\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
)
_INVISIBLE_ABOVE: Final = r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
_find_visible = re.compile(f"[^{INVISIBLE_BELOW_10000}{_INVISIBLE_ABOVE}]").search


def is_blank(text: str) -> bool:
    """Whether `text` has no visible character. True for the empty text."""
    # Faster than the search: the first character nearly always decides. ASCII first, then Hangul.
    if "!" <= text < "\x7f" or "가" <= text < "\ud7a4":
        return False
    return _find_visible(text) is None
