"""What stands in for the rest of the messenger where files are tested: chat-api, previews, and a scanner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.media.processor import Media
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations.internal import files as rows

Asked = dict[str, Any]


class Rows:
    """chat-api, as far as files are concerned: keeps one user's files, and records what it is asked."""

    def __init__(self) -> None:
        self.files: dict[str, Asked] = {}
        # Files to be removed, and to be examined.
        self.due: list[str] = []
        self.pending: list[str] = []
        self.removed: list[str] = []
        # With the time after which they may be taken again.
        self.put_back: list[tuple[str, int]] = []
        # Raised instead of the next answers, by operation.
        self.failures: dict[str, AppError] = {}
        self._answers: dict[str, Callable[[Asked, int], Any]] = {
            rows.ADD.name: self._add,
            rows.FIND.name: lambda body, _: self.files[body["file_id"]],
            rows.FINISH.name: self._finish,
            rows.TAKE_DUE.name: self._take_due,
            rows.TAKE_PENDING.name: self._take_pending,
            rows.PROCESSED.name: self._processed,
            rows.PUT_BACK.name: self._put_back,
            rows.REMOVED.name: self._removed,
        }

    def ask(
        self, service: str, operation: str, body: Asked, *, key: str, user_id: int
    ) -> asyncio.Future[Any]:
        answer = asyncio.get_running_loop().create_future()
        try:
            if operation in self.failures:
                raise self.failures[operation]
            answer.set_result(self._answers[operation](body, user_id))
        except AppError as error:
            answer.set_exception(error)
        return answer

    def _add(self, body: Asked, user_id: int) -> Any:
        self.files[body["file_id"]] = {**body, "kind": "file", "state": "open", "owner_id": user_id}
        return {}

    def _finish(self, body: Asked, user_id: int) -> Any:
        file, body = self.files[body["file_id"]], dict(body)
        is_pending, is_taken = body.pop("pending"), body.pop("taken")
        if is_pending and not is_taken:
            self.pending.append(body["file_id"])
        file |= body | {"state": "refused" if body["refused"] else "pending" if is_pending else "ready"}
        return dict(file)

    def _take_due(self, body: Asked, user_id: int) -> Any:
        due, self.due = self.due, []
        return {"file_ids": due}

    def _take_pending(self, body: Asked, user_id: int) -> Any:
        taken, self.pending = self.pending[: body["limit"]], self.pending[body["limit"] :]
        for file_id in taken:
            self.files[file_id]["attempts"] = self.files[file_id].get("attempts", 0) + 1
        return {"files": [dict(self.files[file_id]) for file_id in taken]}

    def _processed(self, body: Asked, user_id: int) -> Any:
        if body["file_id"] not in self.files:
            raise AppError(errors.NOT_FOUND)
        self.files[body["file_id"]] |= rows.PROCESSED.load(body)
        return dict(self.files[body["file_id"]])

    def _put_back(self, body: Asked, user_id: int) -> Any:
        self.put_back.append((body["file_id"], body["after_s"]))
        return {}

    def _removed(self, body: Asked, user_id: int) -> Any:
        self.removed += body["file_ids"]
        return {}


class Previews:
    """Finds the same in every file, writes what it has, and may wait or fail first."""

    def __init__(self, width: int | None = None, thumb: bytes = b"", cleaned: bytes = b"") -> None:
        self.width, self.thumb, self.cleaned = width, thumb, cleaned
        self.failure: Exception | None = None
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.begun = asyncio.Semaphore(0)

    async def process(self, source: Path, mime: str, kind: str, directory: Path) -> Media:
        self.begun.release()
        await self.goes_on.wait()
        if self.failure is not None:
            raise self.failure
        thumbs, cleaned = {}, None
        if self.thumb:
            thumbs[320] = directory / "thumb"
            thumbs[320].write_bytes(self.thumb)
        if self.cleaned:
            cleaned = directory / "cleaned"
            cleaned.write_bytes(self.cleaned)
        return Media(width=self.width, thumbs=thumbs, cleaned=cleaned)


class Scanner:
    """Finds every file with this text in it dangerous; may fail instead."""

    def __init__(self, dangerous: bytes) -> None:
        self._dangerous = dangerous
        self.failure: Exception | None = None

    async def is_clean(self, path: Path) -> bool:
        if self.failure is not None:
            raise self.failure
        return self._dangerous not in await asyncio.to_thread(path.read_bytes)
