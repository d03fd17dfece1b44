"""Answers the clients' operations on files: creates, completes and serves them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from gateway.connections.rate_limits import TokenBuckets
from gateway.files.content_types import content_type, is_accepted
from gateway.files.processing import FileProcessing
from gateway.files.store import ByteStore, FileData
from gateway.sockets.commands import ask
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import new_id
from messenger_shared.contract.operations import files
from messenger_shared.contract.operations.internal import files as rows
from messenger_shared.contract.operations.operation import Body
from messenger_shared.contract.schemas.files import OPEN, PENDING, READY, REJECTED, FileSchema
from messenger_shared.contract.tokens import Identity
from messenger_shared.rpc.client import RpcClient

SECRET_BYTES: Final = 32
# New files of one user per second on this worker, and twenty at once: two messages full of pictures.
CREATED_PER_S: Final = 4
CREATED_BURST_S: Final = 5
_OF_CLIENTS: Final = tuple(FileSchema().fields)


class FileOperations:
    """One handler per operation, by the operation's name. A file has at most `max_bytes`."""

    def __init__(
        self,
        rpc: RpcClient,
        store: ByteStore,
        processing: FileProcessing,
        max_bytes: int,
        accepted: Sequence[str],
    ) -> None:
        self._rpc = rpc
        self._store = store
        self._processing = processing
        self._max_bytes = max_bytes
        # Patterns of the media types that may be uploaded; all if there are none.
        self._accepted = accepted
        self._created = TokenBuckets(CREATED_PER_S, CREATED_BURST_S)
        self.handlers = {
            files.CREATE.name: self.create,
            files.COMPLETE.name: self.complete,
            files.GET.name: self.get,
            files.THUMB.name: self.thumb,
        }

    async def create(self, identity: Identity, body: Body) -> dict[str, Any]:
        """A new file and how to upload it. Raises AppError by size, type, quota and rate."""
        self._check_new(identity.user_id, body)
        file_id, secret = new_id(), secrets.token_urlsafe(SECRET_BYTES)
        # Before the row, which counts for the quota also when the store is away.
        upload = await self._store.upload(file_id, body["size"], secret)
        row = {**body, "file_id": file_id, "digest": digest_of(secret)}
        try:
            await ask(self._rpc, rows.ADD, row, identity.user_id)
        except AppError:
            with contextlib.suppress(AppError):
                await self._store.remove(file_id)
            raise
        return {"file_id": file_id, "upload": upload}

    async def complete(self, identity: Identity, body: Body) -> dict[str, Any]:
        """The file, which can be sent from now on. Raises AppError(file_not_ready, file_type_refused).

        Waits a little for its examination. A file that is pending even then can be asked for again.
        """
        file = await self._own(identity.user_id, body["file_id"])
        is_taken = False
        if file["state"] == OPEN:
            file, is_taken = await self._finish(identity.user_id, file)
        if file["state"] == PENDING:
            file = await self._processing.examined(file, is_taken=is_taken)
        return {name: file[name] for name in _OF_CLIENTS if name in file}

    async def get(self, identity: Identity, body: Body) -> web.StreamResponse:
        """The response with the bytes. Raises AppError(not_found, file_not_ready)."""
        file = await self._readable(identity.user_id, body["file_id"])
        return await self._store.response(file, identity.user_id)

    async def thumb(self, identity: Identity, body: Body) -> web.StreamResponse:
        """The response with a preview. Raises AppError(not_found, file_not_ready)."""
        file = await self._readable(identity.user_id, body["file_id"])
        if body["side"] not in file.get("thumbs", ()):
            raise AppError(errors.NOT_FOUND)
        return await self._store.response(file, identity.user_id, body["side"])

    async def _finish(self, user_id: int, file: FileData) -> tuple[FileData, bool]:
        """The complete file, and whether this worker has taken it to examine it. Raises as `complete`."""
        head = await self._store.finish(file["file_id"], file["size"])
        mime, kind = content_type(head, file["name"])
        refused = not is_accepted(mime, self._accepted)
        found = {"file_id": file["file_id"], "mime": mime, "kind": kind, "refused": refused}
        pending = self._processing.must_examine(kind)
        taken = pending and self._processing.has_room
        file = await ask(self._rpc, rows.FINISH, {**found, "pending": pending, "taken": taken}, user_id)
        if refused:
            raise self._type_refused(mime)
        return file, taken

    def _check_new(self, user_id: int, body: Body) -> None:
        if body["size"] > self._max_bytes:
            raise AppError(errors.FILE_TOO_LARGE, details={"size": [f"At most {self._max_bytes} bytes."]})
        if not is_accepted(body["mime"], self._accepted):
            raise self._type_refused(body["mime"])
        now = asyncio.get_running_loop().time()
        if wait_ms := self._created.of(user_id, now).take(now):
            raise AppError(errors.RATE_LIMITED, retry_after_ms=wait_ms)

    def _type_refused(self, mime: str) -> AppError:
        text = f"{mime} is none of {', '.join(self._accepted)}."
        return AppError(errors.FILE_TYPE_REFUSED, details={"mime": [text]})

    async def _find(self, user_id: int, file_id: str) -> FileData:
        found: FileData = await ask(self._rpc, rows.FIND, {"file_id": file_id}, user_id)
        return found

    async def _readable(self, user_id: int, file_id: str) -> FileData:
        file = await self._find(user_id, file_id)
        if file["state"] == REJECTED:
            raise AppError(errors.NOT_FOUND)
        if file["state"] != READY:
            raise AppError(errors.FILE_NOT_READY)
        return file

    async def _own(self, user_id: int, file_id: str) -> FileData:
        file = await self._find(user_id, file_id)
        if file["owner_id"] != user_id:
            raise AppError(errors.NOT_FOUND)
        return file


def digest_of(secret: str) -> str:
    """What chat-api keeps of an upload's secret: reading the database is not enough to upload."""
    return hashlib.sha256(secret.encode()).hexdigest()
