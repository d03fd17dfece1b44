"""Generates frames and requests that are nearly valid, or not at all, from a seed that can be repeated."""

from __future__ import annotations

import json
import random
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from tests.e2e.requesting import FRAME_TYPES, OPERATIONS
from tests.security import raw

_ROUTED = [operation for operation in OPERATIONS.values() if operation.route]
_ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 2**31, 2**53 - 1, 2**53, 2**63 - 1, 2**63, -(2**63), 0.5, 1e308, ""),
    *(
        " ",
        "x",
        "*",
        "conversation:*",
        "\u0000",
        "\ud800",
        "\u202e",
        "\u200b",
        "\u3164",
        "\U000e0020",
        "é\u0301" * 50,
        "x" * 300,
    ),
    *(
        "x" * 11_000,
        "'; DROP TABLE x; --",
        "{{7*7}}",
        "../../etc/passwd",
        "javascript:x",
        "http://[::1",
        "\r\n",
    ),
    *(
        "2025-11-26T10:30:00Z",
        "admin",
        "text",
        "direct",
        "online",
        "1,2,3",
        [],
        {},
        [[]],
        {"$gt": ""},
        {"": None},
    ),
]
_NOISE = (
    b"",
    b"\0",
    b"\xff",
    b"NaN",
    b"9" * 400,
    b"[" * 500,
    b"[" * 5_000 + b"]" * 5_000,
    b"1e999",
    b'{"a":' * 200,
    b'"',
    b"\\u",
)


class RestRequest(NamedTuple):
    """A request over REST."""

    method: str
    path: str
    body: bytes | None


class HostileInput:
    """Knows some existing ids, so that its requests sometimes pass the first check."""

    def __init__(self, dice: random.Random, ids: list[Any]) -> None:
        self._dice = dice
        self._ids = ids

    def text(self) -> str:
        """Returns a text frame."""
        type_ = self._dice.choice(list(FRAME_TYPES))
        document: Any = {"type": type_, "ref": f"r{self._dice.random()}"[:64]}
        document |= self._fields(FRAME_TYPES[type_].request.fields)
        return self._corrupt(document).decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode()

    def frames(self) -> bytes:
        """Returns a sequence of frames of any form."""
        return b"".join(self._frame() for _ in range(self._dice.randint(1, 5)))

    def request(self) -> RestRequest:
        """Returns a request to an existing route."""
        operation = self._dice.choice(_ROUTED)
        assert operation.route is not None
        fields = self._fields(operation.request.fields)
        path = operation.route.path
        for name in list(fields):
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", quote(_plain(fields.pop(name)), safe=""))
        path = path.replace("{", "%7B").replace("}", "%7D")
        if operation.has_body:
            return RestRequest(operation.route.method, path, self._corrupt(fields))
        query = urlencode({name: _plain(value) for name, value in fields.items()})
        return RestRequest(operation.route.method, f"{path}?{query}"[:8_000], None)

    def _fields(self, names: Any) -> dict[str, Any]:
        chosen = [name for name in names if self._dice.random() < 0.9]
        more = ["__proto__", "sender_id", "x" * 50] if self._dice.random() < 0.2 else []
        return {name: self._value(name, 3) for name in chosen + more}

    def _value(self, name: str, depth: int) -> Any:
        throw = self._dice.random()
        if throw < 0.5 and name.endswith(("_id", "before", "reply_to")):
            return self._dice.choice(self._ids)
        if throw < 0.6 and name == "content":
            return "hello"
        if throw > 0.9 and depth:
            children = range(self._dice.randint(0, 4))
            if self._dice.random() < 0.5:
                return [self._value(name, depth - 1) for _ in children]
            return {str(self._dice.choice(self._ids)): self._value(name, depth - 1) for _ in children}
        return self._dice.choice(_ODD)

    def _corrupt(self, document: Any) -> bytes:
        data = json.dumps(document, ensure_ascii=self._dice.random() < 0.5).encode("utf-8", "surrogatepass")
        if self._dice.random() < 0.8:
            return data
        at = self._dice.randrange(len(data) + 1)
        noise = self._dice.choice(_NOISE)
        return data[:at] + noise + data[at + self._dice.randint(0, 3) :]

    def _frame(self) -> bytes:
        dice = self._dice
        payload = (
            self.text().encode()
            if dice.random() < 0.5
            else dice.randbytes(dice.choice((0, 1, 125, 126, 700)))
        )
        return raw.frame(
            dice.choice((0, 1, 1, 1, 2, 3, 8, 9, 9, 10, 11, 15)),
            payload,
            fin=dice.random() < 0.8,
            rsv=dice.choice((0, 0, 0, 0, 1, 2, 4)),
            mask=dice.random() < 0.9,
            declared=dice.choice((None, None, None, None, 0, len(payload) + 1, 2**40, 2**63)),
        )


def _plain(value: Any) -> str:
    """Returns the value as a part of a URL."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode() or "-"
