"""Holds the keys that tokens are checked with: shared secrets, public keys in a file, or a JWKS at a URL."""

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

from messenger_shared.contract.tokens import Key, hs256
from messenger_shared.settings.environment import SettingsError

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
    """The current keys; they are kept up to date between `start` and `stop`."""

    def current(self) -> Sequence[Key]:
        """All keys that tokens may be signed with."""

    async def start(self) -> None:
        """Returns when there are keys."""

    async def stop(self) -> None:
        """Stops looking for new keys."""


class FixedKeys:
    """Keys that never change."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = keys

    def current(self) -> Sequence[Key]:
        return self._keys

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass


class FetchedKeys:
    """The keys of a JWKS document. It is fetched every `refresh_s`; when that fails, the last keys stay."""

    def __init__(self, url: str, refresh_s: float = REFRESH_S, retry_s: float = RETRY_S) -> None:
        self._url = url
        self._refresh_s = refresh_s
        self._retry_s = retry_s
        self._keys: Sequence[Key] = ()
        self._task: asyncio.Task[None] | None = None

    def current(self) -> Sequence[Key]:
        return self._keys

    async def start(self) -> None:
        """Fetches the first keys; raises SettingsError when there are none."""
        if not await self._fetch():
            raise SettingsError("MESSENGER_JWT_JWKS_URL returns no keys")
        self._task = asyncio.create_task(self._refresh(), name="signing keys")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _refresh(self) -> None:
        fetched = True
        while True:
            await asyncio.sleep(self._refresh_s if fetched else self._retry_s)
            fetched = await self._fetch()

    async def _fetch(self) -> bool:
        try:
            keys = keys_of_document(await _read(self._url))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning("cannot fetch signing keys from %s: %s", self._url, error or type(error).__name__)
            return False
        if [key.kid for key in keys] != [key.kid for key in self._keys]:
            log.info("new signing keys: %s", [key.kid for key in keys])
        self._keys = keys
        return True


def keys_of_secrets(secrets: Sequence[bytes]) -> FixedKeys:
    """Keys of the secret, and of the previous secret while its tokens are still in use."""
    return FixedKeys([hs256(secret) for secret in secrets])


def keys_of_file(path: str, variable: str) -> FixedKeys:
    """The keys in a file of PEM public keys, or of a JWKS document. Raises SettingsError."""
    try:
        data = Path(path).read_bytes()
        pems = _PEM.findall(data)
        return FixedKeys([_key_of_pem(pem) for pem in pems] if pems else keys_of_document(data))
    except OSError as error:
        raise SettingsError(f"{variable}: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"{variable}: {error}") from None


def keys_of_document(data: bytes) -> list[Key]:
    """The signing keys of a JWKS document. Raises ValueError, also if two keys have the same `kid`."""
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
    raise ValueError("a public key is not RSA, EC or Ed25519")


def _key_of_jwk(row: Mapping[str, Any]) -> Key:
    kinds: Mapping[Any, Callable[[Any], Any]] = {
        "RSA": RSAKey.import_key,
        "EC": ECKey.import_key,
        "OKP": OKPKey.import_key,
    }
    kind, kid = kinds.get(row.get("kty")), row.get("kid")
    if kind is None or not (kid is None or isinstance(kid, str)):
        # A symmetric key must not be published, so it is refused too.
        raise ValueError("a key is not RSA, EC or Ed25519")
    try:
        key = _key(row, kind({**row}), kid)
    except JoseError as error:
        raise ValueError(str(error)) from None
    if row.get("alg", key.algorithms[0]) not in key.algorithms:
        raise ValueError(f"a key is for {row['alg']}, which is not supported")
    return key


def _key(parameters: Mapping[str, Any], jwk: Any, kid: str | None) -> Key:
    """The type of a key determines its one algorithm. Raises ValueError."""
    if isinstance(jwk, RSAKey):
        if jwk.raw_value.key_size < RSA_BITS_MIN:
            raise ValueError(f"an RSA key has less than {RSA_BITS_MIN} bits")
        return Key(("RS256",), jwk, kid)
    algorithms = _ALGORITHMS.get(parameters["crv"])
    if algorithms is None:
        raise ValueError(f"a key has the unsupported curve {parameters['crv']}")
    return Key(algorithms, jwk, kid)


async def _read(url: str) -> bytes:
    """The document at the URL, bounded in time and size; redirects are not followed. Raises ValueError."""
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
