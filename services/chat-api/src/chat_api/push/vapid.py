"""The keys by which push services know this server, and the token in a request to one (RFC 8292)."""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey
from yarl import URL

from messenger_shared.contract.schemas.push import encoded

CURVE: Final = ec.SECP256R1()
_PRIVATE_BYTES: Final = 32
# A service takes tokens that are valid for a day at most. Its clock may be wrong.
_VALID_S: Final = 12 * 3_600
_RENEWED_S: Final = 3_600
_REMEMBERED: Final = 1_000


class KeyPair(NamedTuple):
    """A pair of keys: the public one as base64url, as browsers take it, the number of the private one."""

    public_key: str
    private_key: bytes

    def __repr__(self) -> str:
        return f"KeyPair({self.public_key!r})"


def new_key_pair() -> KeyPair:
    """A new pair."""
    key = ec.generate_private_key(CURVE)
    number = key.private_numbers().private_value
    return KeyPair(encoded(point_of(key.public_key())), number.to_bytes(_PRIVATE_BYTES))


def private_key_of(number: bytes) -> ec.EllipticCurvePrivateKey:
    """The private key with this number."""
    return ec.derive_private_key(int.from_bytes(number), CURVE)


def public_key_of(point: bytes) -> ec.EllipticCurvePublicKey:
    """The public key at this point, uncompressed. Raises ValueError if it isn't on the curve."""
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """The point of a public key, uncompressed."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class Vapid:
    """Makes the header `Authorization` for requests with one pair of keys. `contact` is mailto: or https:."""

    def __init__(self, pair: KeyPair, contact: str) -> None:
        self._public_key = pair.public_key
        self._key = ECKey.import_key(private_key_of(pair.private_key))
        self._contact = contact
        # Origin -> the header, and until when it is used.
        self._made: dict[str, tuple[str, float]] = {}

    def authorization(self, endpoint: str) -> str:
        """The header for a request to this endpoint. It names the origin, so it is good for no other one."""
        origin, now = str(URL(endpoint).origin()), time.time()
        header, until = self._made.get(origin, ("", 0.0))
        if until < now:
            if len(self._made) >= _REMEMBERED:
                self._made.clear()
            header = f"vapid t={self._token(origin, now)}, k={self._public_key}"
            self._made[origin] = header, now + _VALID_S - _RENEWED_S
        return header

    def _token(self, origin: str, now: float) -> str:
        claims = {"aud": origin, "exp": int(now) + _VALID_S}
        if self._contact:
            claims["sub"] = self._contact
        return jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, self._key)
