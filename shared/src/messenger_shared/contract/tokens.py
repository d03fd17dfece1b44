"""Verifies the host application's JWTs against our keys and rules, and mints tokens for development."""

from __future__ import annotations

import hashlib
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
from marshmallow import ValidationError

from messenger_shared.contract.identifiers import MAX_INTEGER
from messenger_shared.contract.json_codec import holds_forbidden_text
from messenger_shared.contract.schemas.fields import EXTERNAL_ID_CHARS, USER_NAME_CHARS, avatar_url
from messenger_shared.contract.text.blank import is_blank

SECRET_BYTES_MIN: Final = 32
MAX_TOKEN_CHARS: Final = 8_192
# How far the application's clock may be ahead of ours. It doesn't extend a token's life.
LEEWAY_S: Final = 10.0
# Clients send the same token with each request and when they reconnect. Only the first time is its signature
# checked: with HS256 that takes 16 µs, with ES256 several times as long.
MAX_KEPT: Final = 20_000
HS256: Final = "HS256"
# A word in the claim `scope` (separated by spaces, as in OAuth): the user may run admin commands.
OPERATOR_SCOPE: Final = "messenger:admin"
_AVATAR: Final = avatar_url()
_USER_ID = re.compile(r"[1-9][0-9]{0,15}")

# RFC 9864 prefers the name Ed25519 for the same algorithm, but most issuers still use EdDSA.
warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)

Jwk = OctKey | RSAKey | ECKey | OKPKey


class InvalidToken(Exception):
    """The token is not valid. The text says why; it is for the log only."""


class Identity(NamedTuple):
    """The user of a token, its times (Unix seconds), and whether the user is an operator.

    Where the host's own ids are in use, a new identity has `external_id`, and a `user_id` of 0 until chat-api
    is asked. `name` and `picture` are claims for the user's profile.
    """

    user_id: int
    expires_at: float
    issued_at: float
    is_operator: bool = False
    external_id: str | None = None
    name: str | None = None
    picture: str | None = None


class Key(NamedTuple):
    """A key that verifies tokens, for one algorithm. A key without a `kid` is tried for every token.

    `algorithms` has all names of the one algorithm: Ed25519 has two.
    """

    algorithms: tuple[str, ...]
    jwk: Jwk
    kid: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """The claims that a token needs. None: no issuer or audience is required; 0: no limit on its life.

    With `external_ids`, `sub` is the host's own id of the user.
    """

    issuer: str | None = None
    audience: str | None = None
    max_lifetime_s: int = 0
    external_ids: bool = False


class Verifier:
    """Verifies tokens. It calls `keys` each time, because keys may change: then all tokens are new again."""

    def __init__(
        self,
        keys: Callable[[], Sequence[Key]],
        rules: Rules,
        is_revoked: Callable[[Identity], bool] = lambda identity: False,
    ) -> None:
        self._keys = keys
        self._rules = rules
        self._is_revoked = is_revoked
        # Hash of a token -> the identity in it, for the newest MAX_KEPT; verified with `_kept_with`.
        self._kept: dict[bytes, Identity] = {}
        self._kept_with: Sequence[Key] = ()

    def verify(self, token: str) -> Identity:
        """The identity in `token`; raises InvalidToken.

        The token can't choose its algorithm or key freely: its `kid` selects among our keys, and each key
        allows one algorithm.
        """
        if len(token) > MAX_TOKEN_CHARS:
            raise InvalidToken("too long")
        try:
            identity = self._identity(token)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise InvalidToken(type(error).__name__) from error
        self.check(identity)
        return identity

    def check(self, identity: Identity) -> None:
        """Raises InvalidToken if the token was revoked."""
        if self._is_revoked(identity):
            raise InvalidToken("revoked")

    def _identity(self, token: str) -> Identity:
        keys, now = self._keys(), time.time()
        if keys is not self._kept_with:
            self._kept, self._kept_with = {}, keys
        digest = hashlib.sha256(token.encode()).digest()
        kept = self._kept.get(digest)
        if kept is not None and kept.expires_at > now:
            return kept
        identity = _identity(_claims(token, keys), self._rules, now)
        if len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[digest] = identity
        return identity


def hs256(secret: bytes) -> Key:
    """The key for a shared secret."""
    return Key((HS256,), OctKey.import_key(secret))


def parse_user_id(text: object) -> int | None:
    """The user id in `text`, or None if it isn't a decimal string without sign or leading zero."""
    if not isinstance(text, str) or not _USER_ID.fullmatch(text):
        return None
    user_id = int(text)
    return user_id if user_id <= MAX_INTEGER else None


def mint(user_id: int | str, secret: bytes, ttl_s: int, **more: Any) -> str:
    """A token for `user_id`, which may be the host's own id of the user. It is valid for `ttl_s` seconds.

    A negative `ttl_s` makes an expired token.
    """
    now = int(time.time())
    claims = {"sub": str(user_id), "iat": now, "exp": now + ttl_s, **more}
    return jwt.encode({"alg": HS256, "typ": "JWT"}, claims, hs256(secret).jwk)


def _claims(token: str, keys: Sequence[Key]) -> Mapping[str, Any]:
    if len(keys) == 1:
        return _decoded(token, keys[0])
    header = extract_compact(token.encode()).headers()
    for key in keys:
        if header.get("alg") in key.algorithms and (key.kid is None or header.get("kid") in (None, key.kid)):
            try:
                return _decoded(token, key)
            except JoseError:
                continue
    raise InvalidToken("no key verifies the signature")


def _decoded(token: str, key: Key) -> Mapping[str, Any]:
    claims = jwt.decode(token, key.jwk, registry=_registry(key.algorithms)).claims
    if not isinstance(claims, dict):
        raise InvalidToken("the claims are not an object")
    return claims


@cache
def _registry(algorithms: tuple[str, ...]) -> JWSRegistry:
    """Accepts `algorithms` only. Other header fields are ignored, except `crit`."""
    return JWSRegistry(algorithms=list(algorithms), strict_check_header=False)


def _identity(claims: Mapping[str, Any], rules: Rules, now: float) -> Identity:
    """Checks the claims against `rules` and `now`. The library has checked the signature only."""
    user_id, external_id = _subject(claims.get("sub"), rules)
    expires_at = _moment(claims, "exp")
    if expires_at is None or expires_at <= now:
        raise InvalidToken("exp is missing or in the past")
    if rules.max_lifetime_s and expires_at > now + rules.max_lifetime_s:
        raise InvalidToken("exp is too far in the future")
    issued_at = _moment(claims, "iat") or 0.0
    if max(issued_at, _moment(claims, "nbf") or 0.0) > now + LEEWAY_S:
        raise InvalidToken("not valid yet")
    _check_parties(claims, rules)
    return Identity(
        user_id,
        expires_at,
        issued_at,
        _holds_scope(claims, OPERATOR_SCOPE),
        external_id,
        _name(claims.get("name")),
        _picture(claims.get("picture")),
    )


def _subject(sub: object, rules: Rules) -> tuple[int, str | None]:
    """The user's id, or 0 and the host's own id."""
    if rules.external_ids:
        if not isinstance(sub, str) or not is_external_id(sub):
            raise InvalidToken("sub is no id of the host's")
        return 0, sub
    user_id = parse_user_id(sub)
    if user_id is None:
        raise InvalidToken("sub is not a user id")
    return user_id, None


def is_external_id(text: str) -> bool:
    """Whether the host may use this text as a user's id."""
    return 1 <= len(text) <= EXTERNAL_ID_CHARS and not is_blank(text) and not holds_forbidden_text(text)


def _name(claim: object) -> str | None:
    """The name, or None if it breaks the rules for names: a token isn't refused because of its profile."""
    if not isinstance(claim, str) or len(claim) > USER_NAME_CHARS or is_blank(claim):
        return None
    return None if holds_forbidden_text(claim) else claim


def _picture(claim: object) -> str | None:
    """The address of a picture, or None if it breaks the rules for one."""
    try:
        return None if claim is None else str(_AVATAR.deserialize(claim))
    except ValidationError:
        return None


def _check_parties(claims: Mapping[str, Any], rules: Rules) -> None:
    """Checks issuer and audience. Without a configured audience, tokens with an `aud` are refused."""
    if rules.issuer is not None and claims.get("iss") != rules.issuer:
        raise InvalidToken("wrong issuer")
    audience = claims.get("aud")
    if audience is None and rules.audience is None:
        return
    if rules.audience not in (audience if isinstance(audience, list) else [audience]):
        raise InvalidToken("wrong audience")


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
