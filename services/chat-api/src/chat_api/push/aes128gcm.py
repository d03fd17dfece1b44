"""Encrypts a payload for one browser: the content coding aes128gcm (RFC 8188) with the keys of RFC 8291."""

from __future__ import annotations

import os
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chat_api.push.vapid import CURVE, point_of, public_key_of

# One record, which push services take up to 4,096 bytes of.
RECORD_BYTES: Final = 4_096
_SALT_BYTES: Final = 16
_TAG_BYTES: Final = 16
# The salt, the size of a record, and the sender's key with its length.
_HEADER_BYTES: Final = _SALT_BYTES + 4 + 1 + 65
PAYLOAD_BYTES: Final = RECORD_BYTES - _HEADER_BYTES - _TAG_BYTES - 1
_LAST_RECORD: Final = b"\x02"


def encrypt(
    payload: bytes,
    p256dh: bytes,
    auth: bytes,
    *,
    private_key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body of a request. Key and salt are new for each, except in tests.

    Raises ValueError if the payload is longer than PAYLOAD_BYTES, or `p256dh` is no point of the curve.
    """
    if len(payload) > PAYLOAD_BYTES:
        raise ValueError("the payload is too long for a push")
    sender = private_key or ec.generate_private_key(CURVE)
    salt = salt or os.urandom(_SALT_BYTES)
    sender_point = point_of(sender.public_key())
    shared = sender.exchange(ec.ECDH(), public_key_of(p256dh))
    secret = _derive(auth, shared, b"WebPush: info\0" + p256dh + sender_point, 32)
    key = _derive(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(salt, secret, b"Content-Encoding: nonce\0", 12)
    header = salt + RECORD_BYTES.to_bytes(4) + bytes((len(sender_point),)) + sender_point
    return header + AESGCM(key).encrypt(nonce, payload + _LAST_RECORD, None)


def _derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
