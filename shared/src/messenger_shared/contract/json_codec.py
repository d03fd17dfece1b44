"""Decodes JSON from outside. Bad input of any kind raises AppError and nothing else."""

from __future__ import annotations

import re
from typing import Any

import orjson

from messenger_shared.contract import errors, json_salvage
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.json_salvage import MAX_DEPTH, NO_TEXT, TOO_DEEP, TOO_LARGE, Salvaged, salvage

_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


class RejectedObject(AppError):
    """A JSON object is refused. `fields` are there so that the answer can have the request's `ref`.

    They may be incomplete, and must not be used for anything else.
    """

    def __init__(self, reason: str, fields: dict[str, Any]) -> None:
        # Most decoders read such a number as infinity, which is not JSON.
        kind = errors.INVALID_JSON if reason == TOO_LARGE else errors.INVALID_FRAME
        super().__init__(kind, details={"_": [reason]} if kind is errors.INVALID_FRAME else None)
        self.fields = fields


def decode_object(data: str | bytes) -> dict[str, Any]:
    """The JSON object in `data`.

    Raises AppError: invalid_json if it isn't JSON (NaN and Infinity included), invalid_frame if it is JSON
    but not an object. Raises RejectedObject: invalid_frame if it is nested too deep, or has NUL or a lone
    surrogate, which PostgreSQL can't store; invalid_json if a number in it is too large for a float.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise _refusal(data) from None
    if not isinstance(value, dict):
        raise _no_object()
    text = data if isinstance(data, str) else data.decode()
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(value):
        raise RejectedObject(TOO_DEEP, value)
    if _SUSPECT.search(text) and holds_forbidden_text(value):
        raise RejectedObject(NO_TEXT, value)
    return value


def holds_forbidden_text(value: object) -> bool:
    """Whether any string or key in `value`, at any depth, has NUL or a lone surrogate."""
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
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for item in level
            for child in (item.values() if type(item) is dict else item)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


def _refusal(data: str | bytes) -> AppError:
    """The error for text that orjson refuses. Some of it is valid JSON and gets another error code."""
    try:
        found = salvage(data if isinstance(data, str) else data.decode())
    except UnicodeDecodeError:
        found = None
    match found:
        case Salvaged(reason, dict() as fields):
            return RejectedObject(reason, fields)
        case None | Salvaged(reason=json_salvage.TOO_LARGE):
            return AppError(errors.INVALID_JSON)
        case _:
            return _no_object()


def _no_object() -> AppError:
    return AppError(errors.INVALID_FRAME, details={"_": ["must be a JSON object"]})
