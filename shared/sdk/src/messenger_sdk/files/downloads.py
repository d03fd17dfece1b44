"""Downloads a file from the gateway, or from the S3 store to which the gateway points."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

import aiohttp

from messenger_sdk.errors import MessengerError, unreachable
from messenger_sdk.files.attempts import CHUNK_BYTES, persist, requesting
from messenger_sdk.rest import Rest


async def download(rest: Rest, path: str, target: Path) -> None:
    """Writes what is at `path` of the messenger to `target`, which appears when all of it is there.

    Raises MessengerError, and OSError.
    """
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with unfinished.open("wb") as file:
            await persist(lambda: _continue(rest, path, file), file.tell)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


async def _continue(rest: Rest, path: str, file: BinaryIO) -> None:
    """Appends to the file what it lacks."""
    wanted = {"Range": f"bytes={file.tell()}-"} if file.tell() else {}
    async with _response(rest, path, wanted) as response:
        if wanted and response.status != HTTPStatus.PARTIAL_CONTENT:
            file.seek(0)
            file.truncate()
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            await asyncio.to_thread(file.write, chunk)


@asynccontextmanager
async def _response(rest: Rest, path: str, headers: dict[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
    """The gateway's own response, or that of the address to which it points, which gets no token."""
    try:
        authorized = {**headers, **await rest.authorization()}
        async with requesting(rest.session, "GET", rest.url_of(path), authorized) as response:
            if response.status != HTTPStatus.FOUND:
                yield response
                return
            url = rest.resolve(response.headers["Location"])
        async with requesting(rest.session, "GET", url, headers) as response:
            yield response
    except MessengerError as error:
        if error.status == HTTPStatus.UNAUTHORIZED and rest.refused():
            raise unreachable(error) from error
        raise
