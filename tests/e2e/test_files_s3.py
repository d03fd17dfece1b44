"""Files in an S3 store: their bytes go between client and store, and everything else is as with a folder."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import aiohttp
import pytest

from messenger_sdk import Client
from tests.client import BASE_PATH, User
from tests.conftest import SharedStack, shared_stack
from tests.e2e.crowd import Crowd, open_crowd
from tests.e2e.s3_clients import Store
from tests.e2e.uploads import PNG, TEXT, png
from tests.stack import MESSENGER
from tests.waiting import LIMIT_S, eventually

if TYPE_CHECKING:
    from tests.s3.running import RunningS3

PART = 16 * 1024**2
LIFETIME_S = 3
# The bytes are removed within a minute.
REMOVED_S = 90.0
EXAMINED_S = 90.0


@pytest.fixture(scope="module")
def own_s3() -> Iterator[RunningS3]:
    """Yields a store that a test may end and start again."""
    from tests.s3.running import running_s3

    with running_s3() as store:
        yield store


@pytest.fixture(scope="module")
def s3_stack(
    tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Callable[[], int], own_s3: RunningS3
) -> Iterator[SharedStack]:
    """Yields a stack whose files are in that store."""
    env = {**own_s3.variables(), "MESSENGER_FILES_S3_URL_LIFETIME_S": str(LIFETIME_S)}
    with shared_stack(tmp_path_factory.mktemp("s3") / "data", unused_tcp_port_factory(), env) as stack:
        yield stack


@pytest.fixture
async def people(s3_stack: SharedStack) -> AsyncIterator[Crowd]:
    async with open_crowd(s3_stack.url, s3_stack.token) as crowd:
        yield crowd


@pytest.fixture
async def store(s3_stack: SharedStack) -> AsyncIterator[Store]:
    async with aiohttp.ClientSession() as http:
        yield Store(http, s3_stack.url)


async def begin(user: User, size: int, name: str = "a.txt") -> tuple[str, Any]:
    """Creates a file; returns its id and how to upload it."""
    reply = await user.post("/files", {"name": name, "size": size, "mime": "text/plain"})
    assert reply.status == 201, reply
    return reply.body["file_id"], reply.body["upload"]


async def ended(user: User, file_id: str) -> tuple[int, str]:
    """Completes an upload; returns the status, and the state or the code of the refusal."""
    reply = await user.call("POST", f"/files/{file_id}/complete")
    return reply.status, reply.body.get("code") or reply.body["state"]


async def uploaded(user: User, store: Store, content: bytes = TEXT, name: str = "a.txt") -> str:
    """Uploads a small file up to its completion; returns its id."""
    file_id, upload = await begin(user, len(content), name)
    assert await store.put(upload["url"], content) == 200
    assert (await ended(user, file_id))[0] == 200
    return file_id


async def test_a_small_file_goes_to_the_store_and_is_read_from_it(people: Crowd, store: Store) -> None:
    one, two, stranger = people.newcomers(3)
    room = await one.create_group(two.user_id)
    file_id, upload = await begin(one, len(PNG), "사진.png")
    assert (upload["method"], upload["headers"], "part_bytes" in upload) == ("PUT", {}, False)
    assert await ended(one, file_id) == (409, "file_not_ready")
    assert (await one.get(f"/files/{file_id}")).body["code"] == "file_not_ready"
    assert await store.put(upload["url"], PNG) == 200
    assert (await ended(one, file_id))[0] == 200
    assert (await two.get(f"/files/{file_id}")).status == 404
    reply = await one.post(f"/conversations/{room}/messages", {"attachments": [file_id]})
    assert reply.body["attachments"][0]["mime"] == "image/png"
    for user in (one, two):
        status, headers, body = await store.read(user, file_id)
        assert (status, body, headers["Content-Type"]) == (200, PNG, "image/png")
        assert headers["Content-Disposition"].startswith("inline;")
        assert headers["Cache-Control"] == "private, no-store"
    part = await store.read(two, file_id, Range="bytes=1-3")
    assert (part[0], part[2]) == (206, PNG[1:4])
    assert (await stranger.get(f"/files/{file_id}")).status == 404


async def test_a_picture_and_its_previews_are_in_the_store(people: Crowd, store: Store) -> None:
    user = people.newcomer()
    file_id = await uploaded(user, store, png(320, 200, b"tEXtComment\0where we live"), "a.png")

    async def is_ready() -> bool:
        return await ended(user, file_id) == (200, "ready")

    await eventually(is_ready, EXAMINED_S)
    thumbs = (await user.call("POST", f"/files/{file_id}/complete")).body["thumbs"]
    assert thumbs
    for width in thumbs:
        status, headers, body = await store.read(user, file_id, f"/thumb/{width}")
        assert (status, headers["Content-Type"], body[:4]) == (200, "image/webp", b"RIFF")
        assert headers["Content-Disposition"].startswith("inline;")
    _, headers, body = await store.read(user, file_id)
    assert (headers["Content-Type"], body[:4]) == ("image/png", PNG[:4])
    assert b"where we live" not in body


async def test_what_a_browser_would_run_is_a_download(people: Crowd, store: Store) -> None:
    user = people.newcomer()
    file_id = await uploaded(user, store, b"<!DOCTYPE html><script>alert(1)</script>", "a.png")
    _, headers, _ = await store.read(user, file_id)
    assert headers["Content-Disposition"].startswith('attachment; filename="a.png"')


async def test_a_large_upload_continues_after_a_cut(people: Crowd, store: Store) -> None:
    user, content = people.newcomer(), os.urandom(40 * 1024**2)
    file_id, upload = await begin(user, len(content))
    assert (upload["method"], upload["part_bytes"]) == ("PUT", PART)
    assert upload["url"] == f"{BASE_PATH}/uploads/{file_id}"
    _, parts = await store.parts(upload)
    assert [(part["number"], part["size"]) for part in parts] == [(1, PART), (2, PART), (3, PART // 2)]
    for part in (parts[0], parts[2]):
        begin_, end = part["offset"], part["offset"] + part["size"]
        assert await store.put(part["url"], content[begin_:end]) == 200
    assert await store.put(parts[1]["url"], content[:9]) == 403
    assert await ended(user, file_id) == (409, "file_not_ready")
    _, [rest] = await store.parts(upload)
    assert (rest["number"], rest["offset"], rest["size"]) == (2, PART, PART)
    assert await store.put(rest["url"], content[PART : 2 * PART]) == 200
    assert await store.parts(upload) == (200, [])
    for _ in range(2):
        assert (await ended(user, file_id))[0] == 200
    assert await store.parts(upload) == (200, [])
    assert await store.put(rest["url"], content[:PART]) in (404, 500)
    assert (await store.read(user, file_id))[2] == content


async def test_only_the_uploads_secret_tells_where_its_parts_go(people: Crowd, store: Store) -> None:
    user = people.newcomer()
    _, upload = await begin(user, 2 * PART)
    _, other = await begin(user, 2 * PART)
    for secret in ("", "x", other["headers"]["Upload-Token"]):
        status, problem = await store.parts(upload, **{"Upload-Token": secret})
        assert (status, problem["code"]) == (404, "not_found")
    assert (await store.parts({**upload, "headers": user.bearer}))[0] == 401


async def test_an_upload_of_another_length_is_refused_by_the_store(people: Crowd, store: Store) -> None:
    user = people.newcomer()
    file_id, upload = await begin(user, 10)
    for wrong in (b"123456789", b"12345678901"):
        assert await store.put(upload["url"], wrong) == 403
    assert await ended(user, file_id) == (409, "file_not_ready")


async def test_a_url_that_leaked_is_dead_soon(people: Crowd, store: Store) -> None:
    user = people.newcomer()
    url = await store.url_of(user, await uploaded(user, store))
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == [str(LIFETIME_S)]

    async def is_dead() -> bool:
        return (await store.get(url))[0] == 403

    await eventually(is_dead)


async def test_nothing_is_left_of_a_file_whose_last_message_is_deleted(
    people: Crowd, store: Store, own_s3: RunningS3
) -> None:
    user = people.newcomer()
    room = await user.create_group()
    file_id = await uploaded(user, store)
    message = (await user.post(f"/conversations/{room}/messages", {"attachments": [file_id]})).body
    assert f"files/{file_id}" in own_s3.all_keys()
    await user.call("DELETE", f"/messages/{message['id']}")
    assert (await user.get(f"/files/{file_id}")).status == 404

    async def is_removed() -> bool:
        return not any(file_id in key for key in own_s3.all_keys())

    await eventually(is_removed, REMOVED_S)


async def checked(s3_stack: SharedStack, own_s3: RunningS3) -> str:
    """Returns what `messenger check` prints."""
    process = await asyncio.create_subprocess_exec(
        *(*MESSENGER, "check", "--data-dir", str(s3_stack.data_dir)),
        env={**os.environ, **own_s3.variables()},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), LIMIT_S * 3)
    assert " findings\n" in out.decode()
    return out.decode()


async def test_the_check_looks_into_the_store(
    people: Crowd, store: Store, own_s3: RunningS3, s3_stack: SharedStack
) -> None:
    kept, begun = await uploaded(people.newcomer(), store), await begin(people.newcomer(), 10)
    lost = await uploaded(people.newcomer(), store)
    own_s3.client().delete_object(Bucket=own_s3.bucket, Key=f"files/{lost}")
    orphan = str(uuid4())
    own_s3.client().put_object(Bucket=own_s3.bucket, Key=f"files/{orphan}", Body=b"x")
    found = await checked(s3_stack, own_s3)
    assert f"violated: every file has its bytes: {lost}\n" in found
    assert f"violated: all bytes belong to a file: {orphan}\n" in found
    assert kept not in found
    assert begun[0] not in found


async def test_while_the_store_is_away_files_are_unavailable_and_chat_goes_on(
    people: Crowd, store: Store, own_s3: RunningS3, s3_stack: SharedStack
) -> None:
    if own_s3.process is None:
        pytest.skip("the store isn't ours to end")
    user = people.newcomer()
    room = await user.create_group()
    socket = await user.connect()
    assert "files" in socket.frames[0]["features"]
    file_id, upload = await begin(user, len(TEXT))
    _, large = await begin(user, 2 * PART)
    await store.put(upload["url"], TEXT)
    own_s3.end()
    for reply in (
        await user.post("/files", {"name": "a", "size": 1, "mime": "text/plain"}),
        await user.call("POST", f"/files/{file_id}/complete"),
    ):
        assert (reply.status, reply.body["code"], reply.body["retryable"]) == (503, "unavailable", True)
        assert int(reply.headers["Retry-After"]) > 0
    assert (await store.parts(large))[1]["code"] == "unavailable"
    assert (await user.post(f"/conversations/{room}/messages", {"content": "x"})).status == 201
    own_s3.start_again()
    assert (await store.read(user, await uploaded(user, store)))[2] == TEXT
    assert own_s3.secret_key not in s3_stack.log()
    assert "X-Amz-Signature" not in s3_stack.log()


@pytest.mark.parametrize("size", [1_000, PART + 100_000])
async def test_the_sdk_uploads_to_the_store_and_downloads_from_it(
    s3_stack: SharedStack, people: Crowd, tmp_path: Path, size: int
) -> None:
    one = people.newcomer()
    path = tmp_path / "a.bin"
    path.write_bytes(random.Random(size).randbytes(size))
    client = Client(s3_stack.url, lambda: one.token)
    try:
        file = await client.upload(path)
        assert (file["size"], file["state"]) == (size, "ready")
        await client.download(file["file_id"], tmp_path / "got.bin")
    finally:
        await client.close()
    assert (tmp_path / "got.bin").read_bytes() == path.read_bytes()
