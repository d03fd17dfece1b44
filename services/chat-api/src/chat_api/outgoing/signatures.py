"""Signs requests to the outside as Standard Webhooks has it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets as random_bytes
from collections.abc import Iterable
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
_VERSION: Final = "v1"


def new_secret() -> str:
    """A new secret: `whsec_` and 32 bytes in Base64."""
    return PREFIX + base64.b64encode(random_bytes.token_bytes(SECRET_BYTES)).decode()


def signed_headers(id_: str, timestamp: int, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """The headers that name a body and sign it with each secret. `timestamp` is in seconds since 1970."""
    content = f"{id_}.{timestamp}.".encode() + body
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"{_VERSION},{_sign(secret, content)}" for secret in secrets),
    }


def is_secret(text: str) -> bool:
    """Whether this is `whsec_` and 24 to 64 bytes in Base64."""
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except ValueError:
        return False
    return text.startswith(PREFIX) and 24 <= len(key) <= 64


def _sign(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
