"""The door for uploads: slow clients are cut off and may continue, gateways that stop end uploads, limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.edge import uploads
from gateway.edge.problems import problems_middleware
from gateway.edge.uploads import UploadDoor
from gateway.files.fs_store import FsStore
from gateway.files.operations import digest_of
from gateway.files.transfers import Transfers
from messenger_shared.contract.identifiers import new_id
from tests.waiting import eventually

SECRET, SIZE = "secret", 1_000
HEADERS = {"Upload-Token": SECRET, "Upload-Offset": "0"}


class Rows:
    """chat-api, as far as uploads are concerned: every file is the same user's, and open."""

    def ask(self, service: str, operation: str, body: dict[str, Any], **more: Any) -> asyncio.Future[Any]:
        answer = asyncio.get_running_loop().create_future()
        row = {"size": SIZE, "state": "open", "owner_id": 1, "digest": digest_of(SECRET)}
        answer.set_result({**row, "file_id": body["file_id"]})
        return answer


class Door:
    """A gateway with nothing but this door, and a client of it."""

    def __init__(self, http: aiohttp.ClientSession, url: str, store: FsStore, door: UploadDoor) -> None:
        self._http, self._url = http, url
        self.store, self.door = store, door

    async def patch(self, file_id: str, body: Any) -> tuple[int, str | None]:
        """Uploads; returns the status and the code of a refusal."""
        async with self._http.patch(f"{self._url}/{file_id}", data=body, headers=HEADERS) as response:
            problem = response.content_type == "application/problem+json"
            return response.status, (await response.json(content_type=None))["code"] if problem else None

    async def reached(self, file_id: str, offset: int) -> None:
        """Waits until so many bytes are there."""

        async def are_there() -> bool:
            return await self.store.offset(file_id) == offset

        await eventually(are_there)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    rpc: Any = Rows()
    store = FsStore(tmp_path, "/uploads", Transfers(1, 1))
    upload_door = UploadDoor(rpc, store, Transfers(1, 2))
    app = web.Application(middlewares=[problems_middleware])
    app.router.add_route("PATCH", "/{file_id}", upload_door.patch)
    await store.start()
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as http:
        yield Door(http, f"http://127.0.0.1:{port}", store, upload_door)
    await runner.cleanup()
    await store.stop()


class Body:
    """A body of which some bytes come at once, and the rest when the test says so."""

    def __init__(self, first: bytes) -> None:
        self._first = first
        self.rest: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._first
        yield await self.rest


async def test_a_client_that_is_too_slow_is_cut_off_and_what_it_sent_stays(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "FLOOR_S", 0.3)
    file_id, body = new_id(), Body(b"x" * 10)
    assert await door.patch(file_id, body) == (408, "invalid_frame")
    assert await door.store.offset(file_id) == 10
    body.rest.cancel()


async def test_a_gateway_that_stops_ends_uploads_at_once(door: Door) -> None:
    file_id, body = new_id(), Body(b"x" * 10)
    upload = asyncio.create_task(door.patch(file_id, body))
    await door.reached(file_id, 10)
    await door.door.stop()
    assert await upload == (503, "unavailable")
    assert await door.store.offset(file_id) == 10
    assert await door.patch(new_id(), b"x") == (503, "unavailable")
    body.rest.cancel()


async def test_a_user_has_so_many_uploads_at_once(door: Door) -> None:
    file_id, body = new_id(), Body(b"x" * 10)
    upload = asyncio.create_task(door.patch(file_id, body))
    await door.reached(file_id, 10)
    assert await door.patch(new_id(), b"x") == (429, "rate_limited")
    body.rest.set_result(b"y" * (SIZE - 10))
    assert await upload == (204, None)
    assert await door.store.offset(file_id) == SIZE
    assert await door.patch(new_id(), b"x") == (204, None)


async def test_more_bytes_than_announced_are_refused(door: Door) -> None:
    assert await door.patch(new_id(), b"x" * (SIZE + 1)) == (413, "file_too_large")
    file_id, body = new_id(), Body(b"x" * SIZE)
    body.rest.set_result(b"y")
    assert await door.patch(file_id, body) == (413, "file_too_large")
    assert await door.store.offset(file_id) <= SIZE
