"""The examination of files at a gateway: what becomes of each, what is tried again, and what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.files import processing as module
from gateway.files.examination import Examination
from gateway.files.fs_store import FsStore
from gateway.files.operations import FileOperations
from gateway.files.processing import FileProcessing
from gateway.files.transfers import Transfers
from gateway.media.processor import MediaBusy, MediaRefused
from gateway.media.scanner import ScannerUnavailable
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import new_id
from messenger_shared.contract.operations.internal import files as rows
from messenger_shared.contract.tokens import Identity
from tests.gateway.fake_files import Previews, Rows, Scanner
from tests.waiting import LIMIT_S, until

OWNER = Identity(1, 0.0, 0.0)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
VIRUS = b"virus"


class Gateway:
    """A gateway's part in files, over a store in a folder."""

    def __init__(self, folder: Path, *, scans: bool = False, is_required: bool = False) -> None:
        self.rows = Rows()
        self.store = FsStore(folder, "/uploads", Transfers(9, 9))
        self.previews = Previews()
        self.scanner = Scanner(VIRUS)
        chat_api: Any = self.rows
        examination = Examination(
            self.store, self.previews, self.scanner if scans else None, is_required=is_required
        )
        self.processing = FileProcessing(chat_api, self.store, examination)
        self.operations = FileOperations(chat_api, self.store, self.processing, 1_000, ())

    async def uploaded(self, content: bytes = PNG) -> str:
        """A new file whose bytes are there."""

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        new = {"name": "a", "size": len(content), "mime": "image/png"}
        file_id: str = (await self.operations.create(OWNER, new))["file_id"]
        await self.store.append(file_id, 0, len(content), chunks())
        return file_id

    async def completed(self, content: bytes = PNG) -> Any:
        """The answer to the completion of a new file."""
        return await self.operations.complete(OWNER, {"file_id": await self.uploaded(content)})

    async def content(self, file_id: str) -> bytes:
        async with self.store.local(file_id) as path:
            return path.read_bytes()

    async def due_again(self, *file_ids: str) -> None:
        """Lets these files be taken, and waits until there is an outcome."""
        self.rows.pending += file_ids
        assert await self.processing.take_due() == len(file_ids)
        for file_id in file_ids:
            await self.processing.examined({"file_id": file_id})


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    gateway = Gateway(tmp_path)
    await gateway.store.start()
    yield gateway
    await gateway.processing.stop()
    await gateway.store.stop()


@pytest.fixture
async def scanning(tmp_path: Path) -> AsyncIterator[Gateway]:
    gateway = Gateway(tmp_path, scans=True, is_required=True)
    await gateway.store.start()
    yield gateway
    await gateway.processing.stop()
    await gateway.store.stop()


async def test_a_completed_picture_has_what_was_found_and_lost_its_metadata(gateway: Gateway) -> None:
    gateway.previews.width, gateway.previews.thumb, gateway.previews.cleaned = 400, b"small", b"clean"
    file = await gateway.completed()
    assert (file["state"], file["width"], file["thumbs"], file["size"]) == ("ready", 400, [320], 5)
    assert await gateway.content(file["file_id"]) == b"clean"
    response: Any = await gateway.store.response(gateway.rows.files[file["file_id"]], 1, 320)
    assert response.content_type == "image/webp"


async def test_a_text_is_ready_at_once_without_a_scanner(gateway: Gateway) -> None:
    gateway.previews.failure = MediaRefused()
    assert (await gateway.completed(b"text"))["state"] == "ready"
    assert gateway.previews.begun.locked()


async def test_what_is_no_picture_after_all_is_a_file_without_a_preview(gateway: Gateway) -> None:
    gateway.previews.failure = MediaRefused()
    file = await gateway.completed()
    assert (file["state"], file["kind"], "thumbs" in file) == ("ready", "file", False)


async def test_a_dangerous_file_is_rejected_and_its_bytes_go(scanning: Gateway) -> None:
    file = await scanning.completed(b"a " + VIRUS)
    assert file["state"] == "rejected"
    assert scanning.rows.removed == [file["file_id"]]
    assert await scanning.store.offset(file["file_id"]) == 0
    for asked in (scanning.operations.get(OWNER, file), scanning.operations.thumb(OWNER, file)):
        with pytest.raises(AppError) as caught:
            await asked
        assert caught.value.kind is errors.NOT_FOUND


async def test_bytes_of_a_rejected_file_that_are_left_are_removed_later(scanning: Gateway) -> None:
    scanning.rows.failures[rows.REMOVED.name] = AppError(errors.UNAVAILABLE)
    file = await scanning.completed(VIRUS)
    assert scanning.rows.removed == []
    scanning.rows.failures.clear()
    await scanning.due_again(file["file_id"])
    assert scanning.rows.removed == [file["file_id"]]


async def test_without_its_scanner_a_file_waits_only_if_it_must_be_scanned(
    scanning: Gateway, tmp_path: Path
) -> None:
    scanning.scanner.failure = ScannerUnavailable()
    file = await scanning.completed(b"text")
    assert (file["state"], scanning.rows.put_back) == ("pending", [(file["file_id"], 30)])
    with pytest.raises(AppError) as caught:
        await scanning.operations.get(OWNER, file)
    assert caught.value.kind is errors.FILE_NOT_READY
    scanning.scanner.failure = None
    await scanning.due_again(file["file_id"])
    assert scanning.rows.files[file["file_id"]]["state"] == "ready"

    lenient = Gateway(tmp_path, scans=True)
    lenient.scanner.failure = ScannerUnavailable()
    assert (await lenient.completed(b"text"))["state"] == "ready"
    await lenient.store.stop()


@pytest.mark.parametrize(("is_required", "state"), [(False, "ready"), (True, "rejected")])
async def test_a_file_that_was_tried_too_often_is_given_up(
    tmp_path: Path, is_required: bool, state: str
) -> None:
    gateway = Gateway(tmp_path, scans=is_required, is_required=is_required)
    await gateway.store.start()
    gateway.previews.failure = MediaBusy()
    file_id = (await gateway.completed())["file_id"]
    for _ in range(module.ATTEMPTS_MAX):
        await gateway.due_again(file_id)
    waits = [after_s for _, after_s in gateway.rows.put_back]
    assert waits[:4] == [30, 30, 60, 120]
    assert max(waits) == module.RETRY_MAX_S
    assert gateway.rows.files[file_id]["state"] == "pending"
    await gateway.due_again(file_id)
    assert (gateway.rows.files[file_id]["state"], gateway.rows.files[file_id]["kind"]) == (state, "file")
    await gateway.store.stop()


async def test_a_file_without_bytes_is_rejected_only_when_it_is_given_up(gateway: Gateway) -> None:
    file_id = new_id()
    file = {"file_id": file_id, "name": "a", "size": 1, "mime": "image/png", "kind": "image"}
    file |= {"state": "pending", "owner_id": 1, "attempts": module.ATTEMPTS_MAX - 1}
    gateway.rows.files[file_id] = file
    await gateway.due_again(file_id)
    assert gateway.rows.files[file_id]["state"] == "pending"
    await gateway.due_again(file_id)
    assert gateway.rows.files[file_id]["state"] == "rejected"


async def test_a_completion_waits_only_a_little(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMPLETE_WAIT_S", 0.01)
    gateway.previews.goes_on.clear()
    file = await gateway.completed()
    assert file["state"] == "pending"
    monkeypatch.setattr(module, "COMPLETE_WAIT_S", LIMIT_S)
    # Who asks again waits for the same examination.
    again = asyncio.create_task(gateway.operations.complete(OWNER, file))
    await asyncio.sleep(0)
    gateway.previews.goes_on.set()
    assert (await again)["state"] == "ready"
    await gateway.previews.begun.acquire()
    assert gateway.previews.begun.locked()


async def test_what_a_worker_has_no_room_for_is_left_to_others(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_TAKEN", 1)
    gateway.previews.goes_on.clear()
    first = asyncio.create_task(gateway.completed())
    await asyncio.wait_for(gateway.previews.begun.acquire(), LIMIT_S)
    second = await gateway.completed()
    assert (second["state"], gateway.rows.pending) == ("pending", [second["file_id"]])
    gateway.previews.goes_on.set()
    assert (await first)["state"] == "ready"
    assert await gateway.processing.take_due() == 1


async def test_a_file_that_was_removed_meanwhile_leaves_nothing(gateway: Gateway) -> None:
    gateway.previews.thumb = b"small"
    gateway.previews.goes_on.clear()
    completing = asyncio.create_task(gateway.completed())
    await asyncio.wait_for(gateway.previews.begun.acquire(), LIMIT_S)
    [file_id] = gateway.rows.files
    del gateway.rows.files[file_id]
    gateway.previews.goes_on.set()
    await completing
    assert not await gateway.store.remove(file_id)


async def test_a_lease_is_renewed_while_it_is_needed(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RENEW_S", 0.01)
    gateway.previews.goes_on.clear()
    completing = asyncio.create_task(gateway.completed())
    await until(lambda: len(gateway.rows.put_back) >= 2)
    gateway.previews.goes_on.set()
    file = await completing
    assert set(gateway.rows.put_back) == {(file["file_id"], rows.LEASE_S)}


async def test_a_worker_that_stops_gives_back_what_it_has(gateway: Gateway) -> None:
    gateway.previews.goes_on.clear()
    completing = asyncio.create_task(gateway.completed())
    await asyncio.wait_for(gateway.previews.begun.acquire(), LIMIT_S)
    await gateway.processing.stop()
    assert (await completing)["state"] == "pending"
    assert gateway.rows.put_back == [((await completing)["file_id"], 0)]
    assert not gateway.processing.has_room
