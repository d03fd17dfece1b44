"""Owns the one decoding of JSON from outside, so that no input of any kind raises anything but AppError."""

import json
import re
from collections.abc import Iterable
from typing import Any

import orjson

from messenger_shared import errors
from messenger_shared.errors import AppError

# What is nested deeper than about 250 can be decoded, but not encoded again.
MAX_DEPTH = 100
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


def decode_object(data: str | bytes) -> dict[str, Any]:
    """The JSON object in `data`.

    Raises AppError: invalid_json when it is no JSON (NaN and Infinity included), invalid_frame when it is
    JSON but no object, nested too deep, or holds NUL or a lone surrogate, which PostgreSQL could not store.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        _raise_for_surrogates(data)
        raise AppError(errors.INVALID_JSON) from None
    if not isinstance(value, dict):
        raise AppError(errors.INVALID_FRAME, details={"_": ["must be a JSON object"]})
    text = data if isinstance(data, str) else data.decode()
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(value):
        raise AppError(errors.INVALID_FRAME, details={"_": [f"nested more than {MAX_DEPTH} deep"]})
    if _SUSPECT.search(text) and holds_forbidden_text(value):
        raise AppError(errors.INVALID_FRAME, details={"_": ["NUL and lone surrogates are not text"]})
    return value


def holds_forbidden_text(value: object) -> bool:
    """Whether any string or key in `value`, at any depth, has a NUL or a lone surrogate."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            if _FORBIDDEN.search(item):
                return True
        elif isinstance(item, dict):
            todo.extend(item.keys())
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return False


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item)]
        if not level:
            return False
    return True


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _raise_for_surrogates(data: str | bytes) -> None:
    """orjson takes a lone surrogate for broken JSON; the contract tells the two apart."""
    text = data if isinstance(data, str) else data.decode(errors="replace")
    if not _SUSPECT.search(text):
        return
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return
    if holds_forbidden_text(value):
        raise AppError(errors.INVALID_FRAME, details={"_": ["NUL and lone surrogates are not text"]})


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
