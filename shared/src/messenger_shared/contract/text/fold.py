"""Folds text for searching: texts that read the same to a user have the same folded form.

NFKC and full case folding, both without a locale, and without invisible characters. The four Turkish letters
i count as one. The web client has the same rule; `shared/vectors/fold.json` keeps both the same.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_DOTLESS: Final = str.maketrans("ı", "i")


# ASCII, kana without marks, ideographs and Korean syllables: only ASCII letters change. Most texts are such.
_PLAIN: Final = re.compile("[\x00-\x7f\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]*")


def is_plain(text: str) -> bool:
    """Whether folding only makes ASCII letters small. Each character then is one UTF-16 unit."""
    return text.isascii() or _PLAIN.fullmatch(text) is not None


def fold(text: str) -> str:
    """The folded form. Use it only to compare; store and show the original text."""
    if is_plain(text):
        return text.lower()
    caseless = unicodedata.normalize("NFKC", text).casefold().translate(_DOTLESS).replace("i\u0307", "i")
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", caseless))


def words(text: str) -> list[str]:
    """The folded words of a text, each once."""
    return list(dict.fromkeys(fold(text).split()))
