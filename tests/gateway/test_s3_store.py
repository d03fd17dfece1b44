"""The S3 store: parts and their lengths, URLs that die, a store that can't be reached, secrets in logs."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from gateway.file_settings import PART_BYTES
from gateway.files.examination import Examination
from gateway.files.operations import FileOperations
from gateway.files.processing import FileProcessing
from gateway.files.s3 import client, listing
from gateway.files.s3.store import S3Store
from gateway.files.s3.uploads import PARTS_AT_ONCE, parts_of
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import new_id
from messenger_shared.contract.tokens import Identity
from messenger_shared.settings.environment import SettingsError
from tests.gateway.byte_stores import MAX_BYTES, S3World, file
from tests.gateway.fake_files import Previews
from tests.gateway.test_byte_stores import CONTENT, copied, kept, refused
from tests.s3.running import RunningS3
from tests.waiting import eventually

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


@pytest.fixture
async def world(s3: RunningS3, http: aiohttp.ClientSession) -> AsyncIterator[S3World]:
    world = S3World(s3, http)
    await world.store.start()
    yield world
    await world.store.stop()


async def test_a_url_for_an_upload_is_for_its_length_alone(world: S3World) -> None:
    id_ = new_id()
    upload = await world.begin(id_, 10)
    query = parse_qs(urlsplit(upload["url"]).query)
    assert (upload["method"], query["X-Amz-SignedHeaders"]) == ("PUT", ["content-length;host"])
    for wrong in (b"", CONTENT[:9], CONTENT + b"!"):
        assert await world.put(upload["url"], wrong) == 403
    assert await refused(world.store.finish(id_, 10)) is errors.FILE_NOT_READY
    assert await world.put(upload["url"].replace(id_, new_id()), CONTENT) == 403
    assert await world.put(upload["url"], CONTENT) == 200
    assert await world.store.finish(id_, 10) == CONTENT


async def test_nobody_changes_a_file_that_was_completed(world: S3World) -> None:
    id_ = new_id()
    upload = await world.begin(id_, 10)
    await world.put(upload["url"], CONTENT)
    await world.store.finish(id_, 10)
    # moto answers 500 where S3 knows no such upload.
    assert await world.put(upload["url"], b"evil bytes") in (404, 500)
    assert await world.store.finish(id_, 10) == CONTENT


async def test_a_large_file_is_uploaded_in_parts_and_continues_with_those_that_miss(world: S3World) -> None:
    id_, content = new_id(), os.urandom(2 * PART_BYTES + 1)
    upload = await world.begin(id_, len(content))
    expected = {"method": "PUT", "url": f"/uploads/{id_}", "headers": {"Upload-Token": "secret"}}
    assert upload == {**expected, "part_bytes": PART_BYTES}
    first = await world.store.missing_parts(id_, len(content))
    assert [(part["number"], part["offset"], part["size"]) for part in first] == [
        (1, 0, PART_BYTES),
        (2, PART_BYTES, PART_BYTES),
        (3, 2 * PART_BYTES, 1),
    ]
    await world.send_parts(id_, content, 1, 3)
    assert await world.put(first[1]["url"], content[:9]) == 403
    assert [part["number"] for part in await world.store.missing_parts(id_, len(content))] == [2]
    assert await refused(world.store.finish(id_, len(content))) is errors.FILE_NOT_READY
    await world.send_parts(id_, content)
    assert await world.store.missing_parts(id_, len(content)) == []
    assert await world.store.finish(id_, len(content)) == content[:8_192]
    assert await copied(world.store, id_) == content
    assert await refused(world.store.missing_parts(id_, len(content))) is errors.NOT_FOUND


async def test_a_client_gets_the_urls_of_a_few_parts_at_a_time(world: S3World) -> None:
    id_, size = new_id(), 12 * PART_BYTES
    await world.begin(id_, size)
    parts = await world.store.missing_parts(id_, size)
    assert [part["number"] for part in parts] == list(range(1, PARTS_AT_ONCE + 1))
    assert sum(part.size for part in parts_of(size)) == size
    await world.store.remove(id_)


async def test_an_upload_that_was_begun_twice_is_completed_all_the_same(world: S3World) -> None:
    id_ = new_id()
    lost, upload = await world.begin(id_, 10), await world.begin(id_, 10)
    await world.put(upload["url"], CONTENT)
    assert await world.store.finish(id_, 10) == CONTENT
    await world.store.remove(id_)
    assert await world.put(lost["url"], CONTENT) in (404, 500)
    assert world.left(id_) == []


async def test_nothing_is_left_of_an_upload_that_the_quota_refuses(world: S3World) -> None:
    asked: list[str] = []

    class Rows:
        """chat-api, which refuses each new file."""

        def ask(self, service: str, operation: str, body: Any, **more: Any) -> asyncio.Future[Any]:
            asked.append(body["file_id"])
            answer = asyncio.get_running_loop().create_future()
            answer.set_exception(AppError(errors.QUOTA_EXCEEDED))
            return answer

    rpc: Any = Rows()
    examination = Examination(world.store, Previews(), None, is_required=False)
    processing = FileProcessing(rpc, world.store, examination)
    operations = FileOperations(rpc, world.store, processing, MAX_BYTES, ())
    new = {"name": "a", "size": 10, "mime": "text/plain"}
    assert await refused(operations.create(Identity(1, 0.0, 0.0), new)) is errors.QUOTA_EXCEEDED
    assert world.left(asked[0]) == []


async def test_a_url_for_a_download_is_dead_soon(s3: RunningS3, http: aiohttp.ClientSession) -> None:
    world = S3World(s3, http, url_lifetime_s=1)
    await world.store.start()
    id_ = await kept(world)
    url = (await world.store.response(file(id_, 10), 1)).headers["Location"]
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["1"]

    async def is_dead() -> bool:
        async with http.get(url) as response:
            assert response.status in (200, 403)
            return response.status == 403

    await eventually(is_dead)
    await world.store.stop()


async def test_clients_get_urls_of_the_endpoint_that_they_reach(
    s3: RunningS3, http: aiohttp.ClientSession
) -> None:
    world = S3World(s3, http, public_url="https://files.example.org")
    await world.store.start()
    id_ = new_id()
    large = await world.begin(id_, PART_BYTES + 1)
    assert large["url"].startswith("/")
    [part, _] = await world.store.missing_parts(id_, PART_BYTES + 1)
    download = (await world.store.response(file(id_, 10), 1)).headers["Location"]
    for url in (part["url"], download, (await world.begin(new_id(), 1))["url"]):
        assert url.startswith(f"https://files.example.org/{s3.bucket}/files/")
    await world.store.remove(id_)
    await world.store.stop()


async def test_a_copy_is_never_larger_than_files_may_be(s3: RunningS3, world: S3World) -> None:
    id_ = await kept(world)
    store = S3Store(s3.settings(), "/uploads", 9)
    await store.start()
    assert await refused(copied(store, id_)) is errors.FILE_TOO_LARGE
    await store.stop()


async def test_a_store_that_is_away_is_unavailable_and_tells_no_secret(
    s3: RunningS3, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    caplog.set_level(logging.DEBUG, "gateway")
    store = S3Store(s3.settings(url=NOWHERE, public_url=NOWHERE), "/uploads", MAX_BYTES)
    await store.start()
    id_ = new_id()
    picture = tmp_path / "picture"
    picture.write_bytes(b"x")
    for asked in (
        store.upload(id_, 10, "secret"),
        store.missing_parts(id_, 10),
        store.finish(id_, 10),
        store.replace(id_, picture),
        store.remove(id_),
        copied(store, id_),
    ):
        assert await refused(asked) is errors.UNAVAILABLE
    await store.stop()
    assert "the S3 store doesn't answer create_multipart_upload: EndpointConnectionError" in caplog.text
    for secret in (s3.secret_key, s3.access_key, "X-Amz"):
        assert secret not in caplog.text
    assert s3.secret_key not in repr(s3.settings())


async def test_a_failed_transfer_tells_no_url(
    world: S3World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    id_ = await kept(world)
    picture = tmp_path / "picture"
    picture.write_bytes(b"x")
    # The URL has expired when it is used.
    monkeypatch.setattr(client, "UPLOAD_S", -60)
    assert await refused(world.store.replace(id_, picture)) is errors.UNAVAILABLE
    assert "the S3 store doesn't answer put_object: ClientResponseError" in caplog.text
    assert "X-Amz" not in caplog.text
    assert await copied(world.store, id_) == CONTENT


@pytest.mark.parametrize("changes", [{"bucket": "no-such-bucket"}, {"secret_key": "wrong"}])
async def test_a_bucket_or_key_that_is_wrong_ends_the_start(s3: RunningS3, changes: dict[str, Any]) -> None:
    store = S3Store(s3.settings(**changes), "/uploads", MAX_BYTES)
    with pytest.raises(SettingsError, match="the S3 store refuses the key or the bucket: "):
        await store.start()
    await store.stop()


async def test_everything_in_the_bucket_is_listed(
    s3: RunningS3, world: S3World, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(listing, "PAGE", 1)
    thumb = tmp_path / "thumb"
    thumb.write_bytes(b"small")
    ids = [await kept(world) for _ in range(2)]
    begun = [new_id() for _ in range(2)]
    for id_ in begun:
        await world.begin(id_, 10)
    await world.store.put_thumb(ids[0], 320, thumb)
    *lines, last = await listing.collected(s3.settings())
    assert last == "end"
    assert len(lines) == len(set(lines))
    expected = {f"10 files/{id_}" for id_ in ids} | {f"- files/{id_}" for id_ in begun}
    assert expected | {f"5 files/{ids[0]}-320"} <= set(lines)


def test_a_gateway_without_such_a_store_does_not_import_its_client() -> None:
    code = "import sys, gateway.app; print([name for name in sys.modules if 'botocore' in name])"
    argv = [sys.executable, "-P", "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "[]\n"
