"""Reads JSON that orjson refuses: nested very deep, with lone surrogates, or with huge numbers.

It finds out what is wrong, and the outermost fields. It never recurses, and its time is linear in the length
of the text.
"""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

# orjson decodes deeper values, but can't encode them again beyond a depth of about 250.
MAX_DEPTH: Final = 100
TOO_DEEP: Final = f"nested more than {MAX_DEPTH} deep"
NO_TEXT: Final = "NUL and lone surrogates are not text"
TOO_LARGE: Final = "a number is too large"
# Beyond this depth Python's json, which recurses, may fail. orjson stops at 1,024.
_DEEP: Final = 500
_HIGH: Final = "[dD][89abAB][0-9a-fA-F]{2}"
_LOW: Final = "[dD][c-fC-F][0-9a-fA-F]{2}"
# `\u` comes first in the pattern, so that the search runs at full speed.
_LONE: Final = re.compile(rf"\\u(?:{_HIGH}(?!\\u{_LOW})|(?<!\\u{_HIGH}\\u){_LOW})")
# Replaces escaped backslashes while surrogates are searched. Valid JSON never has this character unescaped.
_BACKSLASH: Final = "\x01"
# Skips everything that isn't a bracket, strings included. Then come opening brackets (group 1), closing ones
# (group 2), a quotation mark that begins no string (group 3), or the end. Without the last two a failed match
# would be tried again from each remaining character.
_BRACKETS: Final = re.compile(r'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+(?:([\[{]+)|([\]}]+)|(")|\Z)')


class Salvaged(NamedTuple):
    """What is wrong with the text, and its value. In a very deep value, everything nested is None."""

    reason: str
    value: object


def salvage(text: str) -> Salvaged | None:
    """Reads a text that orjson refused; None if it isn't JSON."""
    mended = _without_lone_surrogates(text)
    depth, flat = _flattened(mended)
    try:
        # Integers as floats: Python refuses an integer of 5,000 digits, and slowly.
        value = json.loads(flat if depth > _DEEP else mended, parse_int=float, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    if depth > MAX_DEPTH:
        return Salvaged(TOO_DEEP, value)
    return Salvaged(TOO_LARGE if mended == text else NO_TEXT, value)


def _without_lone_surrogates(text: str) -> str:
    """The text with an escaped NUL, which is forbidden as well, in place of each lone surrogate."""
    if "\\u" not in text or _BACKSLASH in text:
        return text
    aside = text.replace(r"\\", _BACKSLASH)
    return _LONE.sub(r"\\u0000", aside).replace(_BACKSLASH, r"\\")


def _flattened(text: str) -> tuple[int, str]:
    """The depth of the text, and the text with `null` for everything nested in its outermost value.

    In the parts that are left out only brackets are checked. If they don't balance, the text is "".
    """
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0, text
    kept: list[str] = []
    depth = deepest = start = 0
    for found in _BRACKETS.finditer(text):
        kind = found.lastindex
        begin, end = found.span(kind or 0)
        if kind == 1:
            if depth <= 1 < depth + end - begin:
                kept += text[start : begin + 1 - depth], "null"
            depth += end - begin
            deepest = max(deepest, depth)
        elif kind == 2:
            if depth > 1 >= depth + begin - end:
                start = begin + depth - 1
            depth += begin - end
        if depth < 0 or kind == 3:
            return _DEEP + 1, ""
    return deepest, "" if depth else "".join([*kept, text[start:]])


def _refuse(name: str) -> None:
    raise ValueError(name)
