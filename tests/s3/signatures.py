"""Checks requests signed by version 4 of AWS's signatures, by its specification, and not by botocore's code.

moto accepts any signature, any length and any lifetime, and so would hide what real stores refuse.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

ALGORITHM: Final = "AWS4-HMAC-SHA256"
UNSIGNED: Final = "UNSIGNED-PAYLOAD"
SKEW: Final = timedelta(minutes=15)
_TIME: Final = "%Y%m%dT%H%M%SZ"


class Refused(Exception):
    """The request isn't allowed; the text is S3's code for that."""


class _Signed(NamedTuple):
    """What a request says about its signature."""

    signature: str
    credential: str
    names: str
    stamp: str
    payload: str


def check(
    method: str, target: str, headers: Mapping[str, str], body: bytes, access_key: str, secret: str
) -> None:
    """Raises Refused. `target` is the request's path and query as sent; names of headers are lower case."""
    path, _, query = target.partition("?")
    pairs = [(name, value) for name, _, value in (item.partition("=") for item in query.split("&") if item)]
    given = {name: unquote(value) for name, value in pairs}
    signed = _in_url(given) if "X-Amz-Signature" in given else _in_header(headers, body)
    key, _, scope = signed.credential.partition("/")
    if key != access_key:
        raise Refused("InvalidAccessKeyId")
    names = signed.names.split(";")
    if "host" not in names:
        raise Refused("AccessDenied")
    pairs = [pair for pair in pairs if pair[0] != "X-Amz-Signature"]
    lines = [
        method,
        quote(unquote(path), safe="/~"),
        "&".join(sorted(f"{_encoded(name)}={_encoded(value)}" for name, value in pairs)),
        *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in names),
        "",
        signed.names,
        signed.payload,
    ]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    expected = _signature(secret, scope, "\n".join([ALGORITHM, signed.stamp, scope, digest]))
    if not hmac.compare_digest(expected, signed.signature):
        raise Refused("SignatureDoesNotMatch")


def _in_url(given: Mapping[str, str]) -> _Signed:
    if datetime.now(UTC) > _moment(given["X-Amz-Date"]) + timedelta(seconds=int(given["X-Amz-Expires"])):
        raise Refused("AccessDenied")
    fields = (given[f"X-Amz-{name}"] for name in ("Signature", "Credential", "SignedHeaders", "Date"))
    return _Signed(*fields, UNSIGNED)


def _in_header(headers: Mapping[str, str], body: bytes) -> _Signed:
    algorithm, _, text = headers.get("authorization", "").partition(" ")
    if algorithm != ALGORITHM:
        raise Refused("AccessDenied")
    parts = dict(part.strip().split("=", 1) for part in text.split(","))
    stamp, payload = headers["x-amz-date"], headers["x-amz-content-sha256"]
    if abs(datetime.now(UTC) - _moment(stamp)) > SKEW:
        raise Refused("RequestTimeTooSkewed")
    if payload not in (UNSIGNED, hashlib.sha256(body).hexdigest()):
        raise Refused("XAmzContentSHA256Mismatch")
    return _Signed(parts["Signature"], parts["Credential"], parts["SignedHeaders"], stamp, payload)


def _moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, _TIME).replace(tzinfo=UTC)


def _encoded(text: str) -> str:
    return quote(unquote(text), safe="~")


def _signature(secret: str, scope: str, text: str) -> str:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
