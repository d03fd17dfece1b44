"""Owns the application's tokens: what a valid JWT is, and how one is minted for development."""

import math
import re
import time
from typing import Any

import jwt

ALGORITHM = "HS256"
SECRET_BYTES_MIN = 32
MAX_TOKEN_CHARS = 8_192
_USER_ID = re.compile(r"[1-9][0-9]{0,18}")
_MAX_USER_ID = 2**63 - 1


class InvalidToken(Exception):
    """The token proves nothing; the text says why, for the log alone."""


def parse_user_id(text: object) -> int | None:
    """The user id in `text`, a decimal string without sign or leading zero, or None."""
    if not isinstance(text, str) or not _USER_ID.fullmatch(text):
        return None
    user_id = int(text)
    return user_id if user_id <= _MAX_USER_ID else None


def verify(token: str, secret: bytes) -> tuple[int, float]:
    """The user id and the expiry (Unix seconds) of a valid `token`.

    Raises InvalidToken. PyJWT alone would let a textual or an absurd `exp` and any `sub` pass.
    """
    if len(token) > MAX_TOKEN_CHARS:
        raise InvalidToken("too long")
    try:
        claims: dict[str, Any] = jwt.decode(
            token, secret, algorithms=[ALGORITHM], options={"require": ["exp", "sub"]}
        )
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise InvalidToken(type(error).__name__) from error
    expiry = claims["exp"]
    if isinstance(expiry, bool) or not isinstance(expiry, int | float) or not math.isfinite(expiry):
        raise InvalidToken("exp is not a number")
    user_id = parse_user_id(claims["sub"])
    if user_id is None:
        raise InvalidToken("sub is not a user id")
    return user_id, float(expiry)


def mint(user_id: int, secret: bytes, ttl_s: int) -> str:
    """A token of `user_id` that is valid for `ttl_s` seconds; a negative ttl makes an expired one."""
    now = int(time.time())
    return jwt.encode({"sub": str(user_id), "iat": now, "exp": now + ttl_s}, secret, algorithm=ALGORITHM)
