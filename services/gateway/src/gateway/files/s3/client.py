"""Makes requests to the S3 store, bounded in time and number, and signs URLs for clients."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from gateway.file_settings import S3Settings
from gateway.metrics import FILE_STORE_FAILURES, FILE_STORE_TIME
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.settings.environment import SettingsError

log = logging.getLogger(__name__)

# Of one request, its repetitions included.
DEADLINE_S: Final = 20.0
# A gateway that starts waits no longer for the store.
START_S: Final = 5.0
CONNECT_S: Final = 3.0
READ_S: Final = 10.0
ATTEMPTS: Final = 3
CONNECTIONS: Final = 20
# Requests under way and waiting for a connection. More than that is more than the store can do.
REQUESTS_AT_ONCE: Final = 200
RETRY_AFTER_MS: Final = 5_000
OVERLOADED_MS: Final = 1_000
# A transfer between the store and this worker may take longer: this, and a second for each megabyte.
LEAST_S: Final = 30.0
BYTES_PER_S: Final = 1_000_000
UPLOAD_S: Final = 60
CHUNK_BYTES: Final = 256 * 1024
_MISSING: Final = ("404", "NoSuchKey", "NoSuchUpload", "NotFound")
_CHANGED: Final = ("InvalidPart", "InvalidPartOrder", "EntityTooSmall", "PreconditionFailed")
_FAULTS: Final = (BotoCoreError, HTTPClientError, aiohttp.ClientError, OSError, TimeoutError)


class Missing(Exception):
    """The store has no such object or upload."""


class Changed(Exception):
    """What the request names has changed meanwhile."""


class S3Client:
    """Requests to one bucket. They raise AppError(unavailable, overloaded); `call` also Missing, Changed."""

    def __init__(self, settings: S3Settings) -> None:
        self._settings = settings
        self._open = AsyncExitStack()
        self._client: Any = None
        # Makes no requests: it signs URLs with the endpoint that clients reach.
        self._signer: Any = None
        self._http: Any = None
        self._under_way = 0

    async def start(self) -> None:
        """Raises SettingsError if the store refuses the key, or has no such bucket."""
        self._client = await self._connect(self._settings.url)
        self._signer = await self._connect(self._settings.public_url)
        timeout = aiohttp.ClientTimeout(connect=CONNECT_S, sock_read=READ_S)
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        http = aiohttp.ClientSession(connector=connector, timeout=timeout)
        self._http = await self._open.enter_async_context(http)
        try:
            async with asyncio.timeout(START_S):
                await self.call("list_objects_v2", MaxKeys=1)
        except (AppError, TimeoutError) as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and _status(cause) < 500:
                text = f"the S3 store refuses the key or the bucket: {_code(cause)}"
                raise SettingsError(text) from None
            # Chat works without it.
            log.warning("the S3 store can't be reached; files are unavailable until it is")

    async def stop(self) -> None:
        """Closes all connections."""
        await self._open.aclose()

    async def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Makes a request, such as `head_object`; returns the answer as botocore does."""
        async with self._request(operation):
            method = getattr(self._client, operation)
            answer: dict[str, Any] = await method(Bucket=self._settings.bucket, **parameters)
            return answer

    async def read(self, key: str, count: int) -> bytes:
        """The first `count` bytes of an object, or all if it has fewer. Raises Missing."""
        async with self._request("get_object"):
            answer = await self._client.get_object(
                Bucket=self._settings.bucket, Key=key, Range=f"bytes=0-{count - 1}"
            )
            async with answer["Body"] as body:
                start: bytes = await body.read()
                return start

    async def download(self, key: str, path: Path, most: int) -> None:
        """Writes an object to a new file at `path`.

        Raises Missing, and Changed if it has more than `most` bytes.
        """
        async with self._request("get_object", _transfer_s(most)):
            answer = await self._client.get_object(Bucket=self._settings.bucket, Key=key)
            with path.open("xb") as file:
                async for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
                    most -= len(chunk)
                    if most < 0:
                        raise Changed(key)
                    await asyncio.to_thread(file.write, chunk)

    async def put(self, key: str, path: Path, mime: str) -> None:
        """Makes the bytes at `path` an object, in place of one that is there."""
        size = (await asyncio.to_thread(path.stat)).st_size
        parameters = {"Key": key, "ContentType": mime, "ContentLength": size}
        async with self._request("put_object", _transfer_s(size)):
            # By a signed URL like a client: botocore would read the whole file first, for its hash.
            url = await self._signed(self._client, "put_object", UPLOAD_S, parameters)
            with path.open("rb") as file:
                async with self._http.put(url, data=file, headers={"Content-Type": mime}) as response:
                    response.raise_for_status()

    async def url(self, operation: str, lifetime_s: int, **parameters: Any) -> str:
        """A URL with which a client makes this request within `lifetime_s` seconds."""
        return await self._signed(self._signer, operation, lifetime_s, parameters)

    @contextlib.asynccontextmanager
    async def _request(self, operation: str, deadline_s: float = DEADLINE_S) -> AsyncIterator[None]:
        """Bounds, measures and translates the failures of the request that the block makes."""
        if self._under_way >= REQUESTS_AT_ONCE:
            raise AppError(errors.OVERLOADED, retry_after_ms=OVERLOADED_MS)
        self._under_way += 1
        try:
            with FILE_STORE_TIME.labels(operation).time():
                async with asyncio.timeout(deadline_s):
                    yield
        except ClientError as error:
            raise _told(operation, error) from error
        except _FAULTS as error:
            # The text of some has a signed URL.
            raise _fault(operation, error) from None
        finally:
            self._under_way -= 1

    async def _signed(self, client: Any, operation: str, lifetime_s: int, parameters: dict[str, Any]) -> str:
        url: str = await client.generate_presigned_url(
            operation, Params={"Bucket": self._settings.bucket, **parameters}, ExpiresIn=lifetime_s
        )
        return url

    async def _connect(self, url: str) -> Any:
        config = AioConfig(
            signature_version="s3v4",
            # Every store knows paths. Buckets as host names need DNS and certificates of their own.
            s3={"addressing_style": "path"},
            connect_timeout=CONNECT_S,
            read_timeout=READ_S,
            max_pool_connections=CONNECTIONS,
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            # Not every store knows these, and clients would have to send them.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        client = get_session().create_client(
            "s3",
            endpoint_url=url,
            region_name=self._settings.region,
            aws_access_key_id=self._settings.access_key,
            aws_secret_access_key=self._settings.secret_key,
            config=config,
        )
        return await self._open.enter_async_context(client)


def _transfer_s(size: int) -> float:
    return LEAST_S + size / BYTES_PER_S


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _told(operation: str, error: ClientError) -> Exception:
    """The exception for an error that the store answers."""
    code = _code(error)
    if code in _MISSING:
        return Missing(operation)
    if code in _CHANGED:
        return Changed(operation)
    FILE_STORE_FAILURES.labels(operation).inc()
    log.error("the S3 store refuses %s: %s, status %d", operation, code, _status(error))
    return AppError(errors.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS)


def _fault(operation: str, error: Exception) -> AppError:
    """The exception for a request without an answer. Its text may have signed URLs, so it isn't logged."""
    FILE_STORE_FAILURES.labels(operation).inc()
    log.error("the S3 store doesn't answer %s: %s", operation, type(error).__name__)
    return AppError(errors.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS)
