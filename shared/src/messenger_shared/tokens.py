"""Owns the application's tokens: what a valid JWT is, by which keys, and minting one for development."""

from __future__ import annotations

import math
import re
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry, extract_compact

SECRET_BYTES_MIN: Final = 32
MAX_TOKEN_CHARS: Final = 8_192
# How far the application's clock may run ahead of ours; nothing is added to the end of a token.
LEEWAY_S: Final = 10.0
HS256: Final = "HS256"
# In the claim `scope`, a list with spaces as OAuth has it: whose token this is may take back others'.
OPERATOR_SCOPE: Final = "messenger:admin"
_USER_ID = re.compile(r"[1-9][0-9]{0,18}")
_MAX_USER_ID: Final = 2**63 - 1

# RFC 9864 prefers the name Ed25519; most who sign don't know it yet, and it is the same.
warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)

Jwk = OctKey | RSAKey | ECKey | OKPKey


class InvalidToken(Exception):
    """The token proves nothing; the text says why, for the log alone."""


class Identity(NamedTuple):
    """Whose token it is, until when it lasts and since when (Unix seconds), and whether he runs the place."""

    user_id: int
    expires_at: float
    issued_at: float
    is_operator: bool = False


class Key(NamedTuple):
    """A key that tokens may be signed with, by its one algorithm; without a `kid` it is tried for any.

    `algorithms` are the names of the algorithm: Ed25519 has two.
    """

    algorithms: tuple[str, ...]
    jwk: Jwk
    kid: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a token has to say besides its signature; None asks for nothing."""

    issuer: str | None = None
    audience: str | None = None
    max_lifetime_s: int = 0


class Verifier:
    """Tells whose a token is. `keys` is asked each time, since they may be others by then."""

    def __init__(
        self,
        keys: Callable[[], Sequence[Key]],
        rules: Rules,
        is_revoked: Callable[[Identity], bool] = lambda identity: False,
    ) -> None:
        self._keys = keys
        self._rules = rules
        self._is_revoked = is_revoked

    def verify(self, token: str) -> Identity:
        """The identity that a valid `token` proves; raises InvalidToken.

        Neither algorithm nor key is the token's to choose: its `kid` picks among ours, and each of ours has
        one algorithm.
        """
        if len(token) > MAX_TOKEN_CHARS:
            raise InvalidToken("too long")
        try:
            identity = _identity(self._claims(token), self._rules, time.time())
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise InvalidToken(type(error).__name__) from error
        self.check(identity)
        return identity

    def check(self, identity: Identity) -> None:
        """Raises InvalidToken when what was good before has been taken back."""
        if self._is_revoked(identity):
            raise InvalidToken("revoked")

    def _claims(self, token: str) -> Mapping[str, Any]:
        keys = self._keys()
        if len(keys) == 1:
            return _decoded(token, keys[0])
        header = extract_compact(token.encode()).headers()
        for key in keys:
            if header.get("alg") in key.algorithms and (
                key.kid is None or header.get("kid") in (None, key.kid)
            ):
                try:
                    return _decoded(token, key)
                except JoseError:
                    continue
        raise InvalidToken("signed with no key of ours")


def hs256(secret: bytes) -> Key:
    """The key of a shared secret."""
    return Key((HS256,), OctKey.import_key(secret))


def parse_user_id(text: object) -> int | None:
    """The user id in `text`, a decimal string without sign or leading zero, or None."""
    if not isinstance(text, str) or not _USER_ID.fullmatch(text):
        return None
    user_id = int(text)
    return user_id if user_id <= _MAX_USER_ID else None


def mint(user_id: int, secret: bytes, ttl_s: int, **more: Any) -> str:
    """A token of `user_id` that is valid for `ttl_s` seconds; a negative ttl makes an expired one."""
    now = int(time.time())
    claims = {"sub": str(user_id), "iat": now, "exp": now + ttl_s, **more}
    return jwt.encode({"alg": HS256, "typ": "JWT"}, claims, hs256(secret).jwk)


def _decoded(token: str, key: Key) -> Mapping[str, Any]:
    claims = jwt.decode(token, key.jwk, registry=_registry(key.algorithms)).claims
    if not isinstance(claims, dict):
        raise InvalidToken("no object")
    return claims


@cache
def _registry(algorithms: tuple[str, ...]) -> JWSRegistry:
    """What else is in a header is ignored, but for `crit`."""
    return JWSRegistry(algorithms=list(algorithms), strict_check_header=False)


def _identity(claims: Mapping[str, Any], rules: Rules, now: float) -> Identity:
    """Of the claims of a token that is valid now and for us. The signature alone is the library's part."""
    user_id = parse_user_id(claims.get("sub"))
    if user_id is None:
        raise InvalidToken("sub is not a user id")
    expires_at = _moment(claims, "exp")
    if expires_at is None or expires_at <= now:
        raise InvalidToken("exp is past or missing")
    if rules.max_lifetime_s and expires_at > now + rules.max_lifetime_s:
        raise InvalidToken("exp is too far away")
    issued_at = _moment(claims, "iat") or 0.0
    if max(issued_at, _moment(claims, "nbf") or 0.0) > now + LEEWAY_S:
        raise InvalidToken("not valid yet")
    _check_parties(claims, rules)
    return Identity(user_id, expires_at, issued_at, _holds_scope(claims, OPERATOR_SCOPE))


def _check_parties(claims: Mapping[str, Any], rules: Rules) -> None:
    """A token for somebody is refused by everybody else, also by who has no name."""
    if rules.issuer is not None and claims.get("iss") != rules.issuer:
        raise InvalidToken("issued by somebody else")
    audience = claims.get("aud")
    if audience is None and rules.audience is None:
        return
    if rules.audience not in (audience if isinstance(audience, list) else [audience]):
        raise InvalidToken("meant for somebody else")


def _holds_scope(claims: Mapping[str, Any], scope: str) -> bool:
    scopes = claims.get("scope")
    return isinstance(scopes, str) and scope in scopes.split(" ")


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    moment = claims.get(name)
    if moment is None:
        return None
    if isinstance(moment, bool) or not isinstance(moment, int | float) or not math.isfinite(moment):
        raise InvalidToken(f"{name} is not a number")
    return float(moment)
