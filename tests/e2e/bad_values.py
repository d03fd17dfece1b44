"""Bad values of fields, by the kind of field: as JSON, and as text in a URL."""

from __future__ import annotations

from typing import Any, Final

ID: Final = "01a20ac3-5727-772d-ad3e-fd6faf3624ac"
_NO_TEXT: Final[list[Any]] = [True, 5, 1.5, [], ["x"], {}, {"$gt": ""}]
_NO_NUMBER: Final[list[Any]] = [True, "", "1", 1.5, 1e300, [], [1], {}, {"$gt": ""}, -1, 2**53, 2**63, 2**64]
_NO_ID: Final = [
    "abc",
    "1",
    ID[:-1],
    ID + "0",
    ID.replace("-", ""),
    f"{{{ID}}}",
    f"urn:uuid:{ID}",
    f" {ID}",
    f"{ID}\n",
]
_BLANK: Final = ["\u200b", "\u3164", "\u2800\ufe0f", "\x01\u202e", "\U000e0020"]
_NO_DIGITS: Final = [
    *("-1", "+1", "1.0", "1e3", "10abc", "0x10", " 1", "1\n", "1_0", "true", "null", "\0", "'"),
    *("\u0663", "\u00b2", str(2**53), str(2**63), "9" * 5_000),
]

# Kind -> bad values in a JSON body or a frame. NUL and lone surrogates have tests of their own.
IN_JSON: Final[dict[str, list[Any]]] = {
    "id": [*_NO_TEXT, *_NO_ID, ""],
    "content": [*_NO_TEXT, None, "", " \t\n\u3000", *_BLANK],
    "title": [*_NO_TEXT, "", " \t", "x" * 256, *_BLANK],
    "client id": [*_NO_TEXT, "", "x" * 65],
    "file name": [*_NO_TEXT, "", " ", "x" * 256, *_BLANK],
    "media type": [*_NO_TEXT, "", "x", "image/", "/png", "image/png\n", "im age/png", "x/" + "y" * 126],
    "files": [
        *("x", 5, True, {}, {"$gt": ""}, [1], ["x"], [None], [[ID]], [ID[:-1]], [f" {ID}"]),
        *([f"{n:08x}{ID[8:]}" for n in range(11)], ["x"] * 10_000),
    ],
    "url": [
        *(*_NO_TEXT, "", "x", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)"),
        *("data:text/html,x", "vbscript:x", "file:///etc/passwd", "ftp://example.org/a", "blob:x"),
        *("//example.org/a", "http:/example.org", "http://", "http:///a", " http://example.org"),
        *("http://example.org/a b", "http://example.org/a\n", "http://example.org/" + "a" * 2_030),
    ],
    "endpoint": [*_NO_TEXT, "", "x" * 2_049],
    "push keys": ["x", 5, True, [], {}, {"auth": "AAAAAAAAAAAAAAAAAAAAAA"}],
    "push key": [*_NO_TEXT, "", "x", "A" * 87, "B" * 86, "\u00e9" * 87],
    "quiet hours": [
        *("x", 5, True, [], {}),
        *(
            {"start": "22:00", "end": "07:00", "timezone": "Europe/Berlin"} | changed
            for changed in (
                *(
                    {"start": bad}
                    for bad in (None, 22, "22", "24:00", "22:60", "22:00:00", "\u0662\u0662:00")
                ),
                *({"timezone": bad} for bad in (None, 5, "", "Nowhere/Else", "x" * 65)),
            )
        ),
    ],
    "choice": [*_NO_TEXT, "", "no such", "system", "ADMIN", "x" * 10_000],
    "number": _NO_NUMBER,
    "number from 1": [*_NO_NUMBER, 0],
    "users": [
        *(
            "x",
            5,
            True,
            {},
            {"$gt": ""},
            {"0": 1},
            [0],
            [-1],
            [2**53],
            [2**63],
            [True],
            ["1"],
            [1.5],
            [None],
            [[1]],
        ),
        *([{"$gt": ""}], [1, "x"], list(range(1, 1_002)), [0] * 60_000),
    ],
    "flag": [0, 1, "true", "", [], {}, {"$gt": ""}, 1.5],
    "moment": [
        *(*_NO_TEXT, "", "T", "now", "infinity", "2025-11-26", "2025-11-26T10:30:00", "2025-11-26 10:30:00Z"),
        *("2025-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2025-11-26T24:00:00Z", "2025-11-26T10:30:61Z"),
        # PostgreSQL has none of these times.
        *("2025-11-26T10:30:00+00:00:01", "2025-11-26T10:30:00+24:00", "0000-01-01T00:00:00Z"),
        *(
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
            "20251126T103000Z",
            "2025-W01-1T10:00:00Z",
        ),
        "\u0662\u0660\u0662\u0665-11-26T10:30:00Z",
    ],
    "text": _NO_TEXT,
    "emoji": [*_NO_TEXT, None, "", "a", "1", ":+1:", "👍👍", "👍 ", "\U0001f1f0", "\u200d", "x" * 10_000],
    "positions": [
        *(
            "x",
            5,
            [],
            {"x": 1},
            {ID: -1},
            {ID: "1"},
            {ID: True},
            {ID: None},
            {ID: 2**53},
            {ID: 2**63},
            {ID: {}},
            {ID[:-1]: 1},
        ),
        *({f"{n:08x}{ID[8:]}": 1 for n in range(201)}, {str(n): 1 for n in range(5_000)}),
    ],
    "mentions": [
        *("x", 5, True, 1.5, [], ["x"], *({"all": value} for value in (0, 1, "true", None, [], {}))),
        *({"user_ids": value} for value in ("x", 5, {}, None, [0], ["1"], [True], [None], [[1]], [2**53])),
        {"user_ids": list(range(1, 52))},
    ],
    "entities": [
        *("x", 5, True, {}, {"0": 1}, ["x"], [None], [[]], [{}]),
        *(
            [{"type": "mention", "user_id": 1, "offset": 0, "length": 1} | changed]
            for name, values in (
                ("type", ["link", "MENTION", "", None, 5, []]),
                ("user_id", [*_NO_NUMBER, None, 0]),
                ("offset", [*_NO_NUMBER, None, 2**31]),
                ("length", [*_NO_NUMBER, None, 0, 2**31]),
            )
            for changed in ({name: value} for value in values)
        ),
        [{"type": "mention", "user_id": 1, "offset": 0, "length": 1}] * 51,
        [{}] * 10_000,
    ],
    "anything": [],
}
# Kind -> bad values in a query or a path.
IN_URL: Final[dict[str, list[str]]] = {
    "id": [*_NO_ID, "\0", "'", "\u0661" * 36],
    "number": _NO_DIGITS,
    "number from 1": [*_NO_DIGITS, "0"],
    "limit": [*_NO_DIGITS, "0", "101", "51e", ""],
    "users": [
        *(*_NO_DIGITS, "", "0", ",", "1,", ",1", "1,,2", "1,x", "1,0", "1, 2", "1;2", "1 2", "[1]", "1,-2"),
        ",".join(map(str, range(1, 502))),
    ],
    "query": ["", " ", "\u3164", "x" * 101],
    "words": ["", " ", "x", " x ", "\u3164x", "ㅎ", "x" * 65],
    "moment": [
        "",
        "now",
        "2025-11-26",
        "2025-11-26T10:30:00",
        "2025-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
    ],
    "choice": ["", "no such", "FILE", "file,link"],
    "emoji": ["a", "1", ":+1:", "👍👍", "👍 ", "\U0001f1f0", "\u200d", "x" * 1_000],
    # Cursors of no list: not base64, not JSON, and JSON of other shapes.
    "cursor": [
        *(
            "",
            "zzz",
            "\0",
            "\u00e9",
            "'",
            "%",
            "A" * 201,
            "====",
            "W10",
            "e30",
            "bnVsbA",
            "NQ",
            "WzFd",
            "WzEsMl0",
        ),
        *("WyJ4Il0", "W251bGxd", "W3RydWVd", "W1tdXQ", "WzFlOTk5XQ", "W1tbW1tbW1tbW1tbW1tbW1tb"),
    ],
}
# The name of a field -> its kind.
KINDS: Final = {
    **dict.fromkeys(("conversation_id", "message_id", "file_id", "before", "around", "reply_to"), "id"),
    **dict.fromkeys(("before_seq", "after_seq", "seq", "after_pos", "file_size"), "number"),
    **dict.fromkeys(("expected_version", "user_id", "mark_unread_from", "size", "side"), "number from 1"),
    "from": "number from 1",
    "has": "choice",
    **dict.fromkeys(("participant_ids", "user_ids", "ids"), "users"),
    **dict.fromkeys(("muted", "push_enabled", "email_enabled", "on"), "flag"),
    **dict.fromkeys(("type", "role", "message_type", "status", "last_seen_visibility", "notify"), "choice"),
    "content": "content",
    "kind": "choice",
    "endpoint": "endpoint",
    "keys": "push keys",
    "application_server_key": "push key",
    "quiet_hours": "quiet hours",
    "mentions": "mentions",
    "entities": "entities",
    "emoji": "emoji",
    "title": "title",
    "q": "query",
    "client_message_id": "client id",
    **dict.fromkeys(("file_name", "name"), "file name"),
    "mime": "media type",
    "attachments": "files",
    "file_url": "url",
    "muted_until": "moment",
    "limit": "limit",
    "cursor": "cursor",
    "token": "text",
    "positions": "positions",
    "ts": "anything",
}
# In these operations a field is of another kind.
OTHER_KINDS: Final = {
    **dict.fromkeys((("search.messages", "before"), ("search.messages", "after")), "moment"),
    **dict.fromkeys((("search.messages", "q"), ("conversation.list", "q")), "words"),
}


def kind_of(operation: str, field: str) -> str:
    """The kind of an operation's field."""
    return OTHER_KINDS.get((operation, field)) or KINDS[field]


# Kinds in which a text with NUL or a lone surrogate could come in.
TEXTS: Final = (
    "id",
    "content",
    "title",
    "query",
    "words",
    "client id",
    "file name",
    "media type",
    "url",
    "choice",
    "moment",
    "text",
    "emoji",
    "endpoint",
    "anything",
)
