"""Checks what the messenger posts to a host: the signatures of Standard Webhooks."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

_SECRET_PREFIX = "whsec_"
_VERSION = "v1"
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


class WebhookError(Exception):
    """A request that didn't come from the messenger, or that is too old."""


def verify_webhook(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: str | Iterable[str],
    *,
    tolerance_s: float = 300.0,
    now: float | None = None,
) -> Any:
    """Returns the JSON of a webhook's body. Raises WebhookError if its signature or its age is wrong.

    `body` is the request's body as it came. `headers` may be in any case. `secret` begins with `whsec_`; give
    several while they change. `now` is the time in seconds since 1970, for tests.
    """
    content = body.encode() if isinstance(body, str) else body
    id_, timestamp, signatures = _read(headers)
    _check_age(timestamp, tolerance_s, time.time() if now is None else now)
    signed = f"{id_}.{timestamp}.".encode() + content
    secrets = [secret] if isinstance(secret, str) else list(secret)
    expected = [_sign(each, signed) for each in secrets]
    given = [part[len(_VERSION) + 1 :] for part in signatures.split() if part.startswith(_VERSION + ",")]
    if not any(hmac.compare_digest(one.encode(), two.encode()) for one in expected for two in given):
        raise WebhookError("no signature matches")
    try:
        return json.loads(content)
    except ValueError as error:
        raise WebhookError("the body is not JSON") from error


def _read(headers: Mapping[str, str]) -> tuple[str, str, str]:
    lowered = {name.lower(): value for name, value in headers.items()}
    missing = [name for name in _HEADERS if not lowered.get(name)]
    if missing:
        raise WebhookError(f"missing headers: {', '.join(missing)}")
    id_, timestamp, signatures = (lowered[name] for name in _HEADERS)
    return id_, timestamp, signatures


def _check_age(timestamp: str, tolerance_s: float, now: float) -> None:
    if not (timestamp.isascii() and timestamp.isdecimal()):
        raise WebhookError("the timestamp is not a number")
    if abs(now - int(timestamp)) > tolerance_s:
        raise WebhookError("the timestamp is too old, or in the future")


def _sign(secret: str, signed: bytes) -> str:
    encoded = secret[len(_SECRET_PREFIX) :] if secret.startswith(_SECRET_PREFIX) else secret
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("a webhook's secret is whsec_ and Base64") from error
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
