"""The folder of files: no half file is readable, one request writes at a time, a full disk keeps nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.files import fs_store
from gateway.files.fs_store import FsStore
from gateway.files.transfers import Transfers
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError, ErrorKind
from messenger_shared.contract.identifiers import new_id
from messenger_shared.settings.environment import SettingsError

CONTENT = b"0123456789"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FsStore]:
    store = FsStore(tmp_path, "/uploads", Transfers(2, 3))
    await store.start()
    yield store
    await store.stop()


async def chunks(*given: bytes) -> AsyncIterator[bytes]:
    for chunk in given:
        yield chunk


def names(folder: Path) -> list[str]:
    """Returns the names of all files in the folder."""
    return [path.name for path in folder.rglob("*") if not path.is_dir()]


async def refused(asked: object) -> ErrorKind:
    with pytest.raises(AppError) as caught:
        await asked  # type: ignore[misc]
    return caught.value.kind


async def _first_byte(store: FsStore, file_id: str) -> bytes:
    async with store.local(file_id) as path:
        return path.read_bytes()[:1]


def file(file_id: str) -> dict[str, object]:
    return {"file_id": file_id, "name": "a", "size": len(CONTENT), "mime": "text/plain", "kind": "file"}


async def test_an_upload_is_appended_and_becomes_a_file_as_a_whole(store: FsStore, tmp_path: Path) -> None:
    id_ = new_id()
    assert await store.offset(id_) == 0
    assert await store.append(id_, 0, 10, chunks(b"012", b"34")) == 5
    assert await store.offset(id_) == 5
    assert await refused(store.finish(id_, 10)) is errors.FILE_NOT_READY
    assert await refused(store.response(file(id_), 1)) is errors.NOT_FOUND
    for offset in (0, 4, 6):
        assert await refused(store.append(id_, offset, 10, chunks(b"x"))) is errors.UPLOAD_CONFLICT
    assert await refused(store.append(id_, 5, 10, chunks(b"56", b"789!"))) is errors.FILE_TOO_LARGE
    assert await store.append(id_, 7, 10, chunks(b"789")) == 10
    for _ in range(2):
        assert await store.finish(id_, 10) == CONTENT
    assert await store.offset(id_) == 10
    assert (tmp_path / "ready" / id_[-2:] / id_).read_bytes() == CONTENT
    assert names(tmp_path) == [id_]
    await store.response(file(id_), 1)
    assert [await store.remove(id_) for _ in range(2)] == [True, False]
    assert await refused(store.finish(id_, 10)) is errors.FILE_NOT_READY


async def test_only_one_request_writes_an_upload(store: FsStore, monkeypatch: pytest.MonkeyPatch) -> None:
    id_, may_end, has_begun = new_id(), asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"01234"
        has_begun.set()
        await may_end.wait()

    first = asyncio.create_task(store.append(id_, 0, 10, slow()))
    await has_begun.wait()
    assert await refused(store.finish(id_, 10)) is errors.FILE_NOT_READY
    monkeypatch.setattr(fs_store, "LOCK_WAIT_S", 0.0)
    assert await refused(store.append(id_, 5, 10, chunks(b"56789"))) is errors.UPLOAD_CONFLICT
    monkeypatch.undo()
    # Its client has come again, while the first request still notices that the connection is gone.
    second = asyncio.create_task(store.append(id_, 5, 10, chunks(b"56789")))
    first.cancel()
    assert await second == 10
    assert await store.finish(id_, 10) == CONTENT


async def test_an_upload_that_ends_while_it_is_opened_leaves_no_lock(store: FsStore) -> None:
    id_ = new_id()
    opening = asyncio.create_task(store.append(id_, 0, 10, chunks(b"0")))
    await asyncio.sleep(0)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    assert await store.append(id_, 0, 10, chunks(CONTENT)) == 10


async def test_a_file_that_was_completed_meanwhile_stays_as_it_is(store: FsStore, tmp_path: Path) -> None:
    id_ = new_id()
    await store.append(id_, 0, 10, chunks(CONTENT))
    await store.finish(id_, 10)
    await store.append(id_, 0, 10, chunks(b"evil"))
    assert await store.finish(id_, 10) == CONTENT
    await store.remove(id_)
    assert names(tmp_path) == []


async def test_other_bytes_replace_a_file_as_a_whole(store: FsStore, tmp_path: Path) -> None:
    id_, other = new_id(), tmp_path / "other"
    other.write_bytes(b"cleaned")
    assert await refused(store.replace(id_, other)) is errors.NOT_FOUND
    await store.append(id_, 0, 10, chunks(CONTENT))
    await store.finish(id_, 10)
    async with store.local(id_) as path:
        before = path.open("rb")
        assert path.read_bytes() == CONTENT
        for _ in range(2):
            await store.replace(id_, other)
        with before:
            assert before.read() == CONTENT
        assert path.read_bytes() == b"cleaned"
    # A client that asks again after the answer was lost.
    assert await store.finish(id_, 10) == b"cleaned"
    await store.remove(id_)
    assert names(tmp_path) == ["other"]
    assert await refused(_first_byte(store, id_)) is errors.NOT_FOUND


async def test_thumbs_are_kept_and_removed_with_their_file(store: FsStore, tmp_path: Path) -> None:
    id_, thumb = new_id(), tmp_path / "thumb"
    thumb.write_bytes(b"webp")
    assert await refused(store.put_thumb(id_, 320, thumb)) is errors.NOT_FOUND
    await store.append(id_, 0, 10, chunks(CONTENT))
    await store.finish(id_, 10)
    assert await refused(store.response(file(id_), 1, 320)) is errors.NOT_FOUND
    for width in (320, 840, 840):
        await store.put_thumb(id_, width, thumb)
    answer = await store.response(file(id_), 1, 840)
    assert answer.headers["Content-Type"] == "image/webp"
    assert answer.headers["Content-Disposition"].startswith('inline; filename="a.webp"')
    assert sorted(names(tmp_path / "thumbs")) == [f"{id_}-320", f"{id_}-840"]
    assert await store.remove(id_)
    assert names(tmp_path) == ["thumb"]


async def test_a_copy_that_fails_leaves_the_file_as_it_was(store: FsStore, tmp_path: Path) -> None:
    id_ = new_id()
    await store.append(id_, 0, 10, chunks(CONTENT))
    await store.finish(id_, 10)
    # A folder can't be read as a file is.
    assert await refused(store.replace(id_, tmp_path)) is errors.UNAVAILABLE
    assert names(tmp_path) == [id_]
    assert await store.finish(id_, 10) == CONTENT


async def test_a_full_disk_is_unavailable_and_keeps_nothing_of_the_upload(
    store: FsStore, tmp_path: Path
) -> None:
    id_ = new_id()
    (tmp_path / "parts" / id_).symlink_to("/dev/full")
    assert await refused(store.append(id_, 0, 10, chunks(b"0"))) is errors.UNAVAILABLE
    assert names(tmp_path) == []
    assert await store.offset(id_) == 0


async def test_a_folder_that_is_lost_is_unavailable(store: FsStore, tmp_path: Path) -> None:
    (tmp_path / "parts").rmdir()
    assert await refused(store.append(new_id(), 0, 10, chunks(b"0"))) is errors.UNAVAILABLE


async def test_a_folder_that_can_not_be_made_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = FsStore(tmp_path / "file", "/uploads", Transfers(1, 1))
    with pytest.raises(SettingsError):
        await store.start()
    await store.stop()


def test_transfers_are_limited_by_user_and_in_total() -> None:
    transfers = Transfers(2, 3)
    with transfers.counted(1), transfers.counted(1), transfers.counted(2):
        for user, kind in ((1, errors.RATE_LIMITED), (2, errors.OVERLOADED)):
            with pytest.raises(AppError) as caught:
                transfers.check(user)
            assert caught.value.kind is kind
    transfers.check(1)
