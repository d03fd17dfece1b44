"""The operations on files: what is refused at once, what the content decides, what is removed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.files import operations
from gateway.files.examination import Examination
from gateway.files.fs_store import FsStore
from gateway.files.operations import FileOperations
from gateway.files.processing import FileProcessing
from gateway.files.remover import FileRemover
from gateway.files.transfers import Transfers
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError, ErrorKind
from messenger_shared.contract.tokens import Identity
from tests.gateway.fake_files import Previews, Rows

OWNER, OTHER = Identity(1, 0.0, 0.0), Identity(2, 0.0, 0.0)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
NEW = {"name": "a.png", "size": len(PNG), "mime": "image/png"}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FsStore]:
    store = FsStore(tmp_path, "/uploads", Transfers(9, 9))
    await store.start()
    yield store
    await store.stop()


def operations_of(chat_api: Any, store: FsStore, accepted: tuple[str, ...]) -> FileOperations:
    examination = Examination(store, Previews(), None, is_required=False)
    return FileOperations(chat_api, store, FileProcessing(chat_api, store, examination), 100, accepted)


async def refused(asked: Any) -> ErrorKind:
    with pytest.raises(AppError) as caught:
        await asked
    return caught.value.kind


async def uploaded(store: FsStore, files: FileOperations, content: bytes) -> dict[str, Any]:
    """Uploads this content as a picture; returns the request that completes it."""

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    created = await files.create(OWNER, {**NEW, "size": len(content)})
    await store.append(created["file_id"], 0, len(content), chunks())
    return {"file_id": created["file_id"]}


async def test_what_is_too_large_or_of_another_type_is_refused_at_once(store: FsStore) -> None:
    chat_api: Any = Rows()
    files = operations_of(chat_api, store, ("image/*",))
    assert await refused(files.create(OWNER, {**NEW, "size": 101})) is errors.FILE_TOO_LARGE
    assert await refused(files.create(OWNER, {**NEW, "mime": "text/html"})) is errors.FILE_TYPE_REFUSED
    assert chat_api.files == {}


async def test_the_content_of_a_file_is_what_counts(store: FsStore) -> None:
    chat_api: Any = Rows()
    files = operations_of(chat_api, store, ("image/*",))
    good, bad = await uploaded(store, files, PNG), await uploaded(store, files, b"<!DOCTYPE html>")
    assert await refused(files.complete(OTHER, good)) is errors.NOT_FOUND
    assert (await files.complete(OWNER, good))["kind"] == "image"
    assert await refused(files.complete(OWNER, bad)) is errors.FILE_TYPE_REFUSED
    assert chat_api.files[bad["file_id"]]["state"] == "refused"


async def test_new_files_are_limited_by_user(store: FsStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "CREATED_PER_S", 0.001)
    monkeypatch.setattr(operations, "CREATED_BURST_S", 2_000)
    chat_api: Any = Rows()
    files = operations_of(chat_api, store, ())
    for _ in range(2):
        await files.create(OWNER, NEW)
    assert await refused(files.create(OWNER, NEW)) is errors.RATE_LIMITED
    await files.create(OTHER, NEW)


async def test_what_is_due_is_removed_and_told_afterwards(
    store: FsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat_api: Any = Rows()
    files, remover = operations_of(chat_api, store, ()), FileRemover(chat_api, store)
    whole, part = await uploaded(store, files, PNG), await uploaded(store, files, PNG)
    await files.complete(OWNER, whole)
    chat_api.due = [whole["file_id"], part["file_id"]]
    assert [await remover.remove_due() for _ in range(2)] == [2, 0]
    assert chat_api.removed == [whole["file_id"], part["file_id"]]
    assert [await store.offset(file["file_id"]) for file in (whole, part)] == [0, 0]

    async def fail(file_id: str) -> bool:
        raise AppError(errors.UNAVAILABLE)

    monkeypatch.setattr(store, "remove", fail)
    chat_api.due = ["x"]
    assert await refused(remover.remove_due()) is errors.UNAVAILABLE
    assert "x" not in chat_api.removed
