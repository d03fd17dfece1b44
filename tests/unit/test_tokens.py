"""What a valid token is."""

import base64
import json
import time
from typing import Any

import jwt
import pytest

from messenger_shared.tokens import InvalidToken, mint, verify

SECRET = b"s" * 64


def token(algorithm: str = "HS256", key: bytes = SECRET, **claims: Any) -> str:
    return jwt.encode({"sub": "7", "exp": time.time() + 60, **claims}, key, algorithm=algorithm)


def test_a_minted_token_proves_its_user_until_its_end() -> None:
    user_id, expires_at = verify(mint(7, SECRET, 60), SECRET)
    assert user_id == 7
    assert 58 < expires_at - time.time() <= 61


def unsigned(alg: str) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': alg, 'typ': 'JWT'})}.{part({'sub': '7', 'exp': 9e9})}."


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "x",
        "a.b.c",
        "é.é.é",
        "x" * 1_000_000,
        unsigned("none"),
        unsigned("nOnE"),
        token(algorithm="HS512"),
        token(key=b"t" * 64),
        mint(7, SECRET, -1),
        token(exp=None),
        token(exp=str(int(time.time()) + 60)),
        token(exp=True),
        token(nbf=time.time() + 60),
        token(iat=time.time() + 60),
        token(iat="yesterday"),
        token(aud="another service"),
        token(exp=float("inf")),
        jwt.encode({"sub": "7", "exp": 9e9}, SECRET, headers={"crit": ["x"], "x": 1}),
        token(sub=""),
        token(sub="0"),
        token(sub="-1"),
        token(sub="07"),
        token(sub="1 OR 1=1"),
        token(sub="٣"),
        token(sub=str(2**63)),
        jwt.encode({"exp": time.time() + 60}, SECRET),
        jwt.encode({"sub": "7"}, SECRET),
    ],
)
def test_anything_else_is_refused(bad: str) -> None:
    with pytest.raises(InvalidToken):
        verify(bad, SECRET)


def test_a_flipped_bit_anywhere_is_refused() -> None:
    good = mint(7, SECRET, 60)
    for index in range(0, len(good) - 1, 3):
        if good[index] == ".":
            continue
        # "B" for "A" changes a bit that counts; the last character of a part may not.
        changed = good[:index] + ("A" if good[index] != "A" else "B") + good[index + 1 :]
        if good[index + 1 : index + 2] == ".":
            continue
        with pytest.raises(InvalidToken):
            verify(changed, SECRET)
