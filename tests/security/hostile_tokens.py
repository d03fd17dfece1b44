"""Invalid tokens, by what is wrong with them. Another library makes them than the one that checks them."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt

DAY_S = 86_400


def signed(key: Any, algorithm: str = "HS256", headers: Any = None, **claims: Any) -> str:
    """Returns a token of user 7 with these additional claims; `...` leaves a claim out."""
    body = {"sub": "7", "exp": time.time() + 60, **claims}
    body = {name: value for name, value in body.items() if value is not ...}
    return jwt.encode(body, key, algorithm=algorithm, headers=headers)


def unsigned(header: Any, claims: Any, signature: str = "") -> str:
    """Joins any two parts and an alleged signature."""
    return f"{_part(header)}.{_part(claims)}.{signature}"


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def hostile(key: bytes) -> dict[str, str]:
    """Returns the tokens by name; they are signed with `key` where that makes them more credible."""
    return _no_tokens(key) | _no_claims(key)


def _no_tokens(key: bytes) -> dict[str, str]:
    good, another = signed(key), signed(key, sub="8")
    deep, rest = base64.urlsafe_b64encode(b"[" * 3_000).decode(), good.partition(".")[2]
    claims = {"sub": "7", "exp": time.time() + 60}
    return {
        "empty": "",
        "one part": "x",
        "two parts": good.rpartition(".")[0],
        "four parts": f"{good}.x",
        "no base64": "a.b.c",
        "padding": f"{good}==",
        "no ASCII": "é.é.é",
        "a megabyte": "x" * 1_000_000,
        "alg none": unsigned({"alg": "none", "typ": "JWT"}, claims),
        "alg nOnE": unsigned({"alg": "nOnE", "typ": "JWT"}, claims),
        "another algorithm of the same key": signed(key, "HS512"),
        "another key": signed(b"t" * 64),
        "unknown crit": signed(key, headers={"crit": ["x"], "x": 1}),
        "a list": unsigned({"alg": "HS256"}, [1], "AAAA"),
        "the header a list": unsigned([1], {"sub": "7"}, "AAAA"),
        "the header nested deep": f"{deep}.{rest}",
        "the signature of another token": f"{another.rpartition('.')[0]}.{good.rpartition('.')[2]}",
    }


def _no_claims(key: bytes) -> dict[str, str]:
    now = time.time()
    claims: dict[str, dict[str, Any]] = {
        "expired a second ago": {"exp": now - 1},
        "without exp": {"exp": ...},
        "exp as text": {"exp": str(int(now) + 60)},
        "exp true": {"exp": True},
        "exp in a thousand ages": {"exp": 1e30},
        "exp after the longest life": {"exp": now + 400 * DAY_S},
        "exp infinite": {"exp": float("inf")},
        "exp no number": {"exp": float("nan")},
        "nbf to come": {"nbf": now + 1_000},
        "iat to come": {"iat": now + 1_000},
        "iat as text": {"iat": "yesterday"},
        "for another audience": {"aud": "another"},
        "for several others": {"aud": ["another", "and another"]},
        "without sub": {"sub": ...},
        "sub empty": {"sub": ""},
        "sub zero": {"sub": "0"},
        "sub negative": {"sub": "-1"},
        "sub with a leading zero": {"sub": "07"},
        "sub with SQL": {"sub": "1 OR 1=1"},
        "sub with NUL": {"sub": "7\0"},
        "sub of ten thousand characters": {"sub": "7" * 10_000},
        "sub in other digits": {"sub": "٣"},
        "sub above 2^53 - 1": {"sub": str(2**53)},
        "sub above 64 bits": {"sub": str(2**63)},
    }
    return {name: signed(key, **wrong) for name, wrong in claims.items()} | {
        # The library refuses to sign these.
        "exp null": _forced(key, {"sub": "7", "exp": None}),
        "sub a number": _forced(key, {"sub": 7, "exp": now + 60}),
        "sub a list": _forced(key, {"sub": ["7"], "exp": now + 60}),
    }


def _forced(key: bytes, claims: dict[str, Any]) -> str:
    return jwt.PyJWS().encode(json.dumps(claims).encode(), key, algorithm="HS256")
