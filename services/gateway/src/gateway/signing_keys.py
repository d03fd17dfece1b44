"""Owns the keys that tokens are checked with: shared secrets, public keys in a file, or a JWKS at a URL."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from messenger_shared.settings import SettingsError
from messenger_shared.tokens import Key, hs256

log = logging.getLogger(__name__)

REFRESH_S: Final = 300.0
RETRY_S: Final = 10.0
FETCH_TIMEOUT_S: Final = 5.0
MAX_DOCUMENT_BYTES: Final = 64 * 1024
MAX_KEYS: Final = 20
RSA_BITS_MIN: Final = 2_048
_PEM: Final = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)
_ALGORITHMS: Final = {"P-256": ("ES256",), "Ed25519": ("EdDSA", "Ed25519")}


class SigningKeys(Protocol):
    """The keys of now; where they come from is looked after between `start` and `stop`."""

    def current(self) -> Sequence[Key]:
        """All keys that a token may be signed with."""

    async def start(self) -> None:
        """Returns when there are keys."""

    async def stop(self) -> None:
        """Looks for new ones no more."""


class FixedKeys:
    """Keys that are what they were at the start."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = keys

    def current(self) -> Sequence[Key]:
        return self._keys

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass


class FetchedKeys:
    """The keys of a JWKS document, fetched again now and then; while it can't be had, the last ones stay."""

    def __init__(self, url: str, refresh_s: float = REFRESH_S, retry_s: float = RETRY_S) -> None:
        self._url = url
        self._refresh_s = refresh_s
        self._retry_s = retry_s
        self._keys: Sequence[Key] = ()
        self._task: asyncio.Task[None] | None = None

    def current(self) -> Sequence[Key]:
        return self._keys

    async def start(self) -> None:
        """Raises SettingsError when there are no keys to begin with."""
        if not await self._fetch():
            raise SettingsError("MESSENGER_JWT_JWKS_URL brings no keys")
        self._task = asyncio.create_task(self._keep(), name="jwks")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        fetched = True
        while True:
            await asyncio.sleep(self._refresh_s if fetched else self._retry_s)
            fetched = await self._fetch()

    async def _fetch(self) -> bool:
        try:
            keys = keys_of_document(await _read(self._url))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning("the keys of %s can't be had: %s", self._url, error or type(error).__name__)
            return False
        if [key.kid for key in keys] != [key.kid for key in self._keys]:
            log.info("keys that tokens are checked with: %s", [key.kid for key in keys])
        self._keys = keys
        return True


def keys_of_secrets(secrets: Sequence[bytes]) -> FixedKeys:
    """The secret, and the one before it while tokens of then are still around."""
    return FixedKeys([hs256(secret) for secret in secrets])


def keys_of_file(path: str, variable: str) -> FixedKeys:
    """The keys of a file of public keys in PEM, or a JWKS document; raises SettingsError."""
    try:
        data = Path(path).read_bytes()
        pems = _PEM.findall(data)
        return FixedKeys([_key_of_pem(pem) for pem in pems] if pems else keys_of_document(data))
    except OSError as error:
        raise SettingsError(f"{variable}: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"{variable}: {error}") from None


def keys_of_document(data: bytes) -> list[Key]:
    """The signing keys of a JWKS document; raises ValueError. Two of one `kid` couldn't be told apart."""
    document = orjson.loads(data)
    rows = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_KEYS:
        raise ValueError(f"not a JWKS document of 1 to {MAX_KEYS} keys")
    keys = [_key_of_jwk(row) for row in rows if isinstance(row, dict) and row.get("use", "sig") == "sig"]
    kids = [key.kid for key in keys]
    if not keys or len(set(kids)) != len(kids) or (None in kids and len(kids) > 1):
        raise ValueError("every key needs a kid of its own")
    return keys


def _key_of_pem(pem: bytes) -> Key:
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            return _key(kind.import_key(pem).as_dict(private=False), kind.import_key(pem), None)
        except JoseError:
            continue
    raise ValueError("a public key of a kind that isn't RSA, EC or Ed25519")


def _key_of_jwk(row: Mapping[str, Any]) -> Key:
    kinds: Mapping[Any, Callable[[Any], Any]] = {
        "RSA": RSAKey.import_key,
        "EC": ECKey.import_key,
        "OKP": OKPKey.import_key,
    }
    kind, kid = kinds.get(row.get("kty")), row.get("kid")
    if kind is None or not (kid is None or isinstance(kid, str)):
        # A symmetric key is no key that others may read.
        raise ValueError("a key of a kind that isn't RSA, EC or Ed25519")
    try:
        key = _key(row, kind({**row}), kid)
    except JoseError as error:
        raise ValueError(str(error)) from None
    if row.get("alg", key.algorithms[0]) not in key.algorithms:
        raise ValueError(f"a key for {row['alg']}, which is not used here")
    return key


def _key(parameters: Mapping[str, Any], jwk: Any, kid: str | None) -> Key:
    """The one algorithm that a key is for follows from what it is."""
    if isinstance(jwk, RSAKey):
        if jwk.raw_value.key_size < RSA_BITS_MIN:
            raise ValueError(f"an RSA key of less than {RSA_BITS_MIN} bits")
        return Key(("RS256",), jwk, kid)
    algorithms = _ALGORITHMS.get(parameters["crv"])
    if algorithms is None:
        raise ValueError(f"a key on the curve {parameters['crv']}")
    return Key(algorithms, jwk, kid)


async def _read(url: str) -> bytes:
    """What is at the URL, in bounded time and size; a redirect leads nowhere."""
    timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        http.get(url, allow_redirects=False) as response,
    ):
        if response.status != 200:
            raise ValueError(f"status {response.status}")
        data = await response.content.read(MAX_DOCUMENT_BYTES + 1)
        while len(data) <= MAX_DOCUMENT_BYTES and (more := await response.content.read(MAX_DOCUMENT_BYTES)):
            data += more
    if len(data) > MAX_DOCUMENT_BYTES:
        raise ValueError(f"more than {MAX_DOCUMENT_BYTES} bytes")
    return data
