"""Owns the application's tokens: what a valid JWT is, and how one is minted for development."""

import math
import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.jws import JWSRegistry

ALGORITHM = "HS256"
SECRET_BYTES_MIN = 32
MAX_TOKEN_CHARS = 8_192
_USER_ID = re.compile(r"[1-9][0-9]{0,18}")
_MAX_USER_ID = 2**63 - 1
# One algorithm, whatever a token's own header says; what else is in there is ignored, but for `crit`.
_REGISTRY = JWSRegistry(algorithms=[ALGORITHM], strict_check_header=False)


class InvalidToken(Exception):
    """The token proves nothing; the text says why, for the log alone."""


def parse_user_id(text: object) -> int | None:
    """The user id in `text`, a decimal string without sign or leading zero, or None."""
    if not isinstance(text, str) or not _USER_ID.fullmatch(text):
        return None
    user_id = int(text)
    return user_id if user_id <= _MAX_USER_ID else None


def verify(token: str, secret: bytes) -> tuple[int, float]:
    """The user id and the expiry (Unix seconds) of a valid `token`; raises InvalidToken."""
    if len(token) > MAX_TOKEN_CHARS:
        raise InvalidToken("too long")
    try:
        claims = jwt.decode(token, _key(secret), registry=_REGISTRY).claims
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise InvalidToken(type(error).__name__) from error
    return _user_id(claims), _expiry(claims, time.time())


def mint(user_id: int, secret: bytes, ttl_s: int) -> str:
    """A token of `user_id` that is valid for `ttl_s` seconds; a negative ttl makes an expired one."""
    now = int(time.time())
    claims = {"sub": str(user_id), "iat": now, "exp": now + ttl_s}
    return jwt.encode({"alg": ALGORITHM, "typ": "JWT"}, claims, _key(secret))


@lru_cache
def _key(secret: bytes) -> OctKey:
    return OctKey.import_key(secret)


def _user_id(claims: Mapping[str, Any]) -> int:
    user_id = parse_user_id(claims.get("sub"))
    if user_id is None:
        raise InvalidToken("sub is not a user id")
    return user_id


def _expiry(claims: Mapping[str, Any], now: float) -> float:
    """When the token ends, if it is valid now and for us. The signature alone is the library's part."""
    expiry = _moment(claims, "exp")
    if expiry is None or expiry <= now:
        raise InvalidToken("exp is past or missing")
    if any((_moment(claims, name) or 0) > now for name in ("nbf", "iat")):
        raise InvalidToken("not valid yet")
    if "aud" in claims:
        raise InvalidToken("meant for somebody else")
    return expiry


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    moment = claims.get(name)
    if moment is None:
        return None
    if isinstance(moment, bool) or not isinstance(moment, int | float) or not math.isfinite(moment):
        raise InvalidToken(f"{name} is not a number")
    return float(moment)
