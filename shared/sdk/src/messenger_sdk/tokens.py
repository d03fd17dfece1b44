"""Signs users' tokens with the secret that the application shares with the messenger."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

_HEADER = {"alg": "HS256", "typ": "JWT"}


def mint_token(secret: str | bytes, user: int | str, ttl_s: int = 3_600, **claims: Any) -> str:
    """Returns a token for a user, valid for `ttl_s` seconds, signed with HS256.

    `secret` is the messenger's `MESSENGER_JWT_SECRET`. `user` is the user's id, or the host's own id with
    `MESSENGER_USER_IDS=external`. `claims` are further ones, such as `name`, `picture` or `aud`.
    """
    now = int(time.time())
    payload = {"sub": str(user), "iat": now, "exp": now + ttl_s, **claims}
    signed = f"{_segment(_HEADER)}.{_segment(payload)}"
    key = secret.encode() if isinstance(secret, str) else secret
    return f"{signed}.{_base64url(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def _segment(content: object) -> str:
    return _base64url(json.dumps(content, separators=(",", ":")).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
