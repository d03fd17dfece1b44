"""Bus messages that no service of ours would ever send."""

from __future__ import annotations

import json
from collections.abc import Iterator

from messenger_shared.bus import channels

_ID = "01a20ac3-5727-772d-ad3e-fd6faf3624ac"
_NO_MESSAGE = [
    *(b"", b"\0", b"\n", b"\xff" * 100, b"null", b"true", b"5", b'"x"', b"[]", b"{}", b"[[]]", b"{", b"?!"),
    *(b"[" * 100_000, b'{"a":' * 20_000, b"9" * 5_000, b"NaN", b"x" * 5_000_000),
]
# As headers of events: type, conversation, pos, user, length.
_HEADERS = [
    *([], [[]], [[None] * 5], [["message.new"]], [["message.new", _ID, 1, 1, 0, "more"]]),
    *([[1, 2, 3, 4, 5]], [["message.new", _ID, "1", 1, 0]], [["message.new", _ID, 1, 1, -5]]),
    *(
        [["message.new", _ID, -1, 1, 0]],
        [["message.new", _ID, 1.5, 1, 0]],
        [["message.new", _ID, 1, 1, 10**9]],
    ),
    *(
        [["message.new", [], 1, 1, 0]],
        [["message.new", {"$gt": ""}, 1, 1, 0]],
        [[["message.new"], _ID, 1, 1, 0]],
    ),
    *(
        [["sockets.asked", "", 0, 1, 0]],
        [["sockets.counted", "", 0, 1, 0]],
        [["sessions.revoked", "", 0, 1, 0]],
    ),
    *([["participant.removed", _ID, 1, "x", 0]], [["participant.added", None, 1, 1, 0]], {"a": 1}, "x", 5),
]
_OF_CHANNEL = {
    channels.HIGH_WATER_MARKS: [
        *({"positions": None, "users": None}, {"positions": {_ID: "x"}, "users": []}, {"users": []}),
        *(
            {"positions": {}, "users": [[1]]},
            {"positions": [], "users": [["x", {}]]},
            {"positions": {_ID: 1.5}},
        ),
    ],
    "workers:": [
        *(
            {},
            {"worker": None, "state": None},
            {"worker": "", "state": "alive"},
            {"worker": "x", "state": "dead"},
        ),
        *({"worker": "x" * 100_000, "state": "alive"}, {"worker": "rpc:*\r\nPING", "state": "alive"}),
        *({"worker": ["x"], "state": "alive"}, {"worker": "*", "state": "alive"}, {"state": "leaving"}),
    ],
    "rpc:": [
        *(["x"], ["x", None], ["x", [[]]], ["x", [[1, "no such", 1, 1000, "t", {}]]], [None, [[None] * 6]]),
        *(["x", [[1, "message.send", "x", 1000, "t", {}]]], ["x", [[1, "message.send", 1, "x", "t", None]]]),
        *(["x", [[1, ["message.send"], 1, 1000, "t", {}]]], ["x", [[1, "conversation.get", 1, -5, "t", {}]]]),
        *(
            ["*", [[1, "presence.report", 1, 1000, "t", {"gateway": 5}]]],
            ["x", [[1, "presence.look", 1, 9, 1, []]]],
        ),
        *(["x\r\n", [[{}, "stats.get", 1, 1000, "t", {}]]], {"x": 1, "y": 2}, ["x", [[1] * 50]]),
        *(["x", [[1, "conversation.memberships", 1, 1000, "t", {"user_ids": ["x", None]}]]],),
    ],
    "reply:": [
        *([[]], [[1]], [[1, True, 5]], [["x", 1, -1]], [[None, None, None]], [[1, False, 0]], {"a": 1})
    ],
}


def garbage(channel: str) -> Iterator[bytes]:
    """Yields messages that are invalid, and messages that are almost valid for this channel."""
    yield from _NO_MESSAGE
    for headers in _HEADERS:
        yield json.dumps(headers).encode() + b"\n"
        yield json.dumps(headers).encode() + b"\n" + b"x" * 50
    for prefix, documents in _OF_CHANNEL.items():
        if channel.startswith(prefix):
            for document in documents:
                yield json.dumps(document).encode()
                yield json.dumps(document).encode() + b"\n"
