"""Handles the operations on the rows of files, which gateways ask for."""

from __future__ import annotations

from typing import Any, Final

from chat_api.file_rows import FOUND, FileRow, FileStore
from chat_api.publisher import Publisher
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations.internal.files import LEASE_S
from messenger_shared.rpc.messages import Request

DUE_MAX: Final = 100


class FileHandlers:
    """Adding, finding, finishing, examining and removing files."""

    def __init__(self, files: FileStore, publisher: Publisher) -> None:
        self._files = files
        self._publisher = publisher

    async def add(self, request: Request) -> Any:
        """Adds the caller's file. Raises AppError(quota_exceeded)."""
        body = request.body
        await self._files.add(
            request.user_id, body["file_id"], body["name"], body["size"], body["mime"], body["digest"]
        )
        return {"file_id": body["file_id"]}

    async def find(self, request: Request) -> Any:
        """Returns a file that the caller may read."""
        return _found(await self._files.find(request.body["file_id"], request.user_id))

    async def upload(self, request: Request) -> Any:
        """Returns a file whose bytes come in, with the digest of the upload's secret."""
        found = await self._files.upload(request.body["file_id"])
        if found is None:
            raise AppError(errors.NOT_FOUND)
        file, digest = found
        return {**file.as_dict(), "digest": digest}

    async def finish(self, request: Request) -> Any:
        """Makes the caller's file ready or pending, or lets it be removed."""
        body, caller = request.body, request.user_id
        if body["refused"]:
            await self._files.refuse(body["file_id"], caller)
            return {}
        lease_s = (LEASE_S if body["taken"] else 0) if body["pending"] else None
        return _found(await self._files.finish(body["file_id"], caller, body["mime"], body["kind"], lease_s))

    async def take_pending(self, request: Request) -> Any:
        """Returns files that a gateway examines now, each with how often it was taken."""
        taken = await self._files.take_pending(request.body["limit"], LEASE_S)
        return {"files": [{**file.as_dict(), "attempts": attempts} for file, attempts in taken]}

    async def processed(self, request: Request) -> Any:
        """Ends the examination of a file, and tells members of its messages. Returns the file."""
        body = request.body
        outcome = {name: body.get(name) for name in ("state", "size", "mime", "kind", *FOUND)}
        settled = await self._files.settle(body["file_id"], outcome)
        if settled is None:
            raise AppError(errors.NOT_FOUND)
        # A repeat publishes again: the worker that settled the file may have died before it published.
        self._publisher.publish_files(settled.changes)
        return settled.file.as_dict()

    async def put_back(self, request: Request) -> Any:
        """Lets a file be examined later."""
        await self._files.put_back(request.body["file_id"], request.body["after_s"])
        return {}

    async def take_due(self, request: Request) -> Any:
        """Returns files whose bytes a gateway removes now."""
        return {"file_ids": await self._files.take_due(DUE_MAX)}

    async def removed(self, request: Request) -> Any:
        """Notes that the bytes of files are gone."""
        await self._files.removed(request.body["file_ids"])
        return {}


def _found(file: FileRow | None) -> dict[str, Any]:
    if file is None:
        raise AppError(errors.NOT_FOUND)
    return file.as_dict()
