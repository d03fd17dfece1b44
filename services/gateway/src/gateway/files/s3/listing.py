"""Lists what is in the bucket, for the check of files: python -m gateway.files.s3.listing.

It prints a line for each object: its size, a space, its key. An upload under way has `-` instead of a size.
The last line is `end`: without it, the list is not complete.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any, Final

from gateway.file_settings import FileSettings, S3Settings
from gateway.files.s3.client import S3Client
from messenger_shared.contract.errors import AppError
from messenger_shared.settings.environment import Environment, SettingsError

END: Final = "end"
PAGE: Final = 1_000


async def listing(settings: S3Settings) -> AsyncIterator[str]:
    """The lines. Raises SettingsError and AppError."""
    client = S3Client(settings)
    try:
        await client.start()
        async for page in _pages(
            client, "list_multipart_uploads", "MaxUploads", "KeyMarker", "UploadIdMarker"
        ):
            for upload in page.get("Uploads", ()):
                yield f"- {upload['Key']}"
        # Afterwards, so that an upload which is completed meanwhile is there at least once.
        async for page in _pages(client, "list_objects_v2", "MaxKeys", "ContinuationToken"):
            for item in page.get("Contents", ()):
                yield f"{item['Size']} {item['Key']}"
        yield END
    finally:
        await client.stop()


async def _pages(client: S3Client, operation: str, most: str, *markers: str) -> AsyncIterator[dict[str, Any]]:
    """The answers to a request that is repeated from where the last answer ended."""
    more: dict[str, Any] = {most: PAGE}
    while True:
        page = await client.call(operation, **more)
        yield page
        if not page.get("IsTruncated"):
            return
        more |= {marker: page.get(f"Next{marker}", "") for marker in markers}


async def collected(settings: S3Settings) -> list[str]:
    """All lines of the listing."""
    return [line async for line in listing(settings)]


async def _print(settings: S3Settings) -> None:
    async for line in listing(settings):
        print(line)


def main() -> int:
    """Prints the listing of the store that the environment names. Returns the exit code."""
    try:
        settings = FileSettings.read(Environment(os.environ))
        if settings is None or settings.s3 is None:
            raise SettingsError("MESSENGER_FILES_S3_URL is not set")
        asyncio.run(_print(settings.s3))
    except (SettingsError, AppError) as error:
        print(f"the listing failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
