"""Uploads to the S3 store: each is one multipart upload, also of a single part.

A URL for a part is dead once the upload is completed. So nobody changes a file whose content was checked, as
they could with the URL of a plain PUT, which writes as often as one likes.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from gateway.file_settings import PART_BYTES
from gateway.files.s3.client import Changed, Missing, S3Client
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError

# A small file is uploaded at once; its client may have others before it.
UPLOAD_URL_S: Final = 3_600
PART_URL_S: Final = 900
# How many parts a client gets at a time. It asks again for the next ones.
PARTS_AT_ONCE: Final = 10
# Whatever reads the bucket without signed URLs doesn't learn a type that a browser would run.
OBJECT_TYPE: Final = "application/octet-stream"
METHOD: Final = "PUT"


class Part(NamedTuple):
    """A part of a file: its number from 1, and where it is in the file."""

    number: int
    offset: int
    size: int


def parts_of(size: int) -> list[Part]:
    """All parts of a file of `size` bytes."""
    return [
        Part(number, offset, min(PART_BYTES, size - offset))
        for number, offset in enumerate(range(0, size, PART_BYTES), start=1)
    ]


class S3Uploads:
    """The uploads to one bucket, by the keys of their objects. Methods raise AppError(unavailable)."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    async def begin(self, key: str) -> str:
        """Begins an upload; returns its id in the store."""
        answer = await self._client.call("create_multipart_upload", Key=key, ContentType=OBJECT_TYPE)
        upload_id: str = answer["UploadId"]
        return upload_id

    async def url(self, key: str, upload_id: str, part: Part, lifetime_s: int) -> str:
        """Where a client puts a part. The store refuses it with another length."""
        return await self._client.url(
            "upload_part",
            lifetime_s,
            Key=key,
            UploadId=upload_id,
            PartNumber=part.number,
            ContentLength=part.size,
        )

    async def missing(self, key: str, size: int) -> list[dict[str, Any]]:
        """The next parts that aren't there, and where to put them: {number, offset, size, url, headers}.

        Raises AppError(not_found) if there is no such upload.
        """
        for upload_id in await self._ids(key):
            try:
                there = await self._parts(key, upload_id)
            except Missing:
                continue
            missing = [part for part in parts_of(size) if not _is_there(part, there)]
            return [
                {**part._asdict(), "url": await self.url(key, upload_id, part, PART_URL_S), "headers": {}}
                for part in missing[:PARTS_AT_ONCE]
            ]
        raise AppError(errors.NOT_FOUND)

    async def complete(self, key: str, size: int) -> bool:
        """Makes the uploaded parts the object, if they are all there; returns whether they were."""
        wanted = parts_of(size)
        # A repeated request may have begun a second upload, without any parts.
        for upload_id in await self._ids(key):
            try:
                there = await self._parts(key, upload_id)
                if len(there) != len(wanted) or not all(_is_there(part, there) for part in wanted):
                    continue
                parts = [{"PartNumber": part.number, "ETag": there[part.number][1]} for part in wanted]
                await self._client.call(
                    "complete_multipart_upload", Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}
                )
                return True
            except (Missing, Changed):
                # Completed meanwhile, or a part came again meanwhile.
                continue
        return False

    async def abort(self, key: str) -> bool:
        """Ends all uploads of the object; returns whether there were any."""
        ids = await self._ids(key)
        for upload_id in ids:
            try:
                await self._client.call("abort_multipart_upload", Key=key, UploadId=upload_id)
            except Missing:
                continue
        return bool(ids)

    async def _ids(self, key: str) -> list[str]:
        """The ids of the object's uploads, always in the same order."""
        answer = await self._client.call("list_multipart_uploads", Prefix=key)
        found = [upload for upload in answer.get("Uploads", ()) if upload["Key"] == key]
        found.sort(key=lambda upload: (upload["Initiated"], upload["UploadId"]))
        return [upload["UploadId"] for upload in found]

    async def _parts(self, key: str, upload_id: str) -> dict[int, tuple[int, str]]:
        """Size and ETag of each part that is there, by its number. Raises Missing."""
        found: dict[int, tuple[int, str]] = {}
        marker = 0
        while True:
            answer = await self._client.call(
                "list_parts", Key=key, UploadId=upload_id, PartNumberMarker=marker
            )
            parts = answer.get("Parts", ())
            found |= {part["PartNumber"]: (part["Size"], part["ETag"]) for part in parts}
            if not answer.get("IsTruncated") or not parts:
                return found
            marker = parts[-1]["PartNumber"]


def _is_there(part: Part, there: dict[int, tuple[int, str]]) -> bool:
    return part.number in there and there[part.number][0] == part.size
