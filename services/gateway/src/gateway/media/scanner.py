"""Asks a virus scanner whether a file is clean: `ClamdScanner` a clamd, `HttpScanner` any HTTP service.

Callers limit how many scans are under way. Only an answer that says so makes a file clean or not; everything
else is ScannerUnavailable.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

import aiohttp

from messenger_shared.settings.environment import SettingsError

log = logging.getLogger(__name__)

CONNECT_S: Final = 5.0
# For the whole of a scan. clamd's own limit is two minutes, after which it tells an error.
SCAN_S: Final = 150.0
CHUNK_BYTES: Final = 65_536
ANSWER_BYTES: Final = 4_096
_CLAMD_PORT: Final = 3_310
_NO_SCANNER: Final = "MESSENGER_SCANNER is none of clamd://host:3310, clamd+unix:///path, http://…, https://…"
# An answer isn't unpacked, so that a small one can't become large.
_SESSION: Final[dict[str, Any]] = {
    "timeout": aiohttp.ClientTimeout(total=None, connect=CONNECT_S),
    "headers": {"Accept-Encoding": "identity", "Content-Type": "application/octet-stream"},
    "auto_decompress": False,
}
_FOUND: Final = re.compile(rb"stream: (.{1,200}) FOUND\0", re.DOTALL)


class ScannerUnavailable(Exception):
    """There is no verdict: the scanner can't be reached, is slow, refuses the file, or answers nonsense."""


class Scanner(Protocol):
    """Tells whether files are clean."""

    async def is_clean(self, path: Path) -> bool:
        """Whether the file is clean. Raises ScannerUnavailable, and OSError if the file can't be read."""


class ClamdScanner:
    """A clamd that gets the bytes by INSTREAM. `address` is the path of its socket, or host and port."""

    def __init__(self, address: str | tuple[str, int]) -> None:
        self._address = address

    async def is_clean(self, path: Path) -> bool:
        """Whether clamd finds nothing. Raises ScannerUnavailable, and OSError if the file can't be read."""
        file = await asyncio.to_thread(path.open, "rb")
        try:
            async with asyncio.timeout(SCAN_S), self._connection() as (reader, writer):
                await _send(writer, file.read)
                return _verdict(await _answer(reader))
        except TimeoutError:
            raise ScannerUnavailable("clamd took too long") from None
        finally:
            await asyncio.to_thread(file.close)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await self._connect()
        except OSError as error:
            raise ScannerUnavailable(f"clamd can't be reached: {type(error).__name__}") from error
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._address, str):
            return await asyncio.open_unix_connection(self._address)
        return await asyncio.open_connection(*self._address)


class HttpScanner:
    """A service that gets the bytes by POST and answers 200 with `{"clean": true}` or `{"clean": false}`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def is_clean(self, path: Path) -> bool:
        """What the service says. Raises ScannerUnavailable, and OSError if the file can't be read."""
        file = await asyncio.to_thread(path.open, "rb")
        try:
            # One session per scan: nothing of one scan is kept for another, and there is nothing to close.
            async with (
                asyncio.timeout(SCAN_S),
                aiohttp.ClientSession(**_SESSION) as session,
                session.post(self._url, data=file, allow_redirects=False) as response,
            ):
                return await _clean_flag(response)
        except TimeoutError:
            raise ScannerUnavailable("the scanner took too long") from None
        except aiohttp.ClientError as error:
            raise ScannerUnavailable(f"the scanner can't be reached: {type(error).__name__}") from error
        finally:
            await asyncio.to_thread(file.close)


def scanner_of(setting: str) -> Scanner | None:
    """The scanner that a setting names; None if it is empty. Raises SettingsError.

    It is `clamd://host:3310`, `clamd+unix:///path`, or an http or https URL.
    """
    if not setting:
        return None
    try:
        parts = urlsplit(setting)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise SettingsError(_NO_SCANNER) from None
    if parts.scheme in ("http", "https") and host and port != 0:
        return HttpScanner(setting)
    if parts.scheme == "clamd" and host and port != 0 and parts.path in ("", "/"):
        return ClamdScanner((host, port or _CLAMD_PORT))
    if parts.scheme == "clamd+unix" and not parts.netloc and len(parts.path) > 1:
        return ClamdScanner(unquote(parts.path))
    # The text leaves the value out, because it may hold a password.
    raise SettingsError(_NO_SCANNER)


async def _send(writer: asyncio.StreamWriter, read: Callable[[int], bytes]) -> None:
    """Sends what `read` gives, each chunk with its length, and then the length 0."""
    start = b"zINSTREAM\0"
    while True:
        chunk = await asyncio.to_thread(read, CHUNK_BYTES)
        try:
            writer.write(start + len(chunk).to_bytes(4, "big") + chunk)
            await writer.drain()
        except OSError as error:
            # So it does with a file that is larger than its limit.
            raise ScannerUnavailable("clamd ended the connection") from error
        if not chunk:
            return
        start = b""


async def _answer(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while b"\0" not in answer and len(answer) <= ANSWER_BYTES:
        try:
            chunk = await reader.read(ANSWER_BYTES)
        except OSError as error:
            raise ScannerUnavailable("clamd ended the connection") from error
        if not chunk:
            break
        answer += chunk
    return answer


def _verdict(answer: bytes) -> bool:
    if answer == b"stream: OK\0":
        return True
    if found := _FOUND.fullmatch(answer):
        log.warning("clamd found %r", found[1].decode(errors="replace"))
        return False
    raise ScannerUnavailable(f"clamd answered {answer[:200]!r}")


async def _clean_flag(response: aiohttp.ClientResponse) -> bool:
    if response.status != HTTPStatus.OK:
        raise ScannerUnavailable(f"the scanner answered {response.status}")
    body = b""
    while len(body) <= ANSWER_BYTES and (chunk := await response.content.read(ANSWER_BYTES)):
        body += chunk
    try:
        clean = json.loads(body)["clean"] if len(body) <= ANSWER_BYTES else None
    except (ValueError, TypeError, LookupError, RecursionError):
        clean = None
    if not isinstance(clean, bool):
        raise ScannerUnavailable("the scanner answered nonsense")
    return clean
