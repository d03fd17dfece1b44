"""Files from their upload to their end: resumed, sent, read by those who may, limited, and removed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import pytest

from tests.client import User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.uploads import PNG, TEXT, Files
from tests.waiting import LIMIT_S, eventually

# The bytes are removed within a minute.
REMOVED_S = 90.0


@pytest.fixture
async def files(stack: SharedStack) -> AsyncIterator[Files]:
    async with aiohttp.ClientSession() as http:
        yield Files(http, stack.url)


async def send(user: User, room: str, *file_ids: str, **fields: Any) -> Any:
    reply = await user.post(f"/conversations/{room}/messages", {"attachments": file_ids, **fields})
    assert reply.status == 201, reply
    return reply.body


async def test_a_file_is_uploaded_sent_and_read_back(crowd: Crowd, files: Files) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    ours, theirs = await one.connect(), await two.connect()
    created = await files.create(one, len(PNG), "사진 \u202e1.png", "application/x-nonsense")
    assert (await files.put(created["upload"], PNG)).status == 204
    await files.complete(one, created["file_id"])
    for _ in range(2):
        completed = await one.call("POST", f"/files/{created['file_id']}/complete")
        expected = {"name": "사진 1.png", "size": len(PNG), "mime": "image/png", "kind": "image"}
        expected |= {
            "width": 20,
            "height": 10,
            "blurhash": completed.body.get("blurhash"),
            "thumbs": [320, 840],
        }
        assert completed.body == {"file_id": created["file_id"], "state": "ready", **expected}
    text = await files.upload(one)
    ids = [text, created["file_id"]]
    sent = await ours.request("message.send", conversation_id=room, attachments=ids, message_type="image")
    message = sent["data"]
    assert [file["file_id"] for file in message["attachments"]] == ids
    assert message["attachments"][1] == completed.body
    assert (message["content"], message["file_url"]) == ("", None)
    assert (await theirs.expect("message.new"))["data"] == message
    [shown] = (await two.get(f"/conversations/{room}/messages")).body["items"]
    assert shown == message
    for user in (one, two):
        got = await files.get(user, created["file_id"])
        assert (got.status, got.body, got.headers["Content-Type"]) == (200, PNG, "image/png")
    await theirs.send("subscribe", conversation_id=room, after_pos=1)
    assert (await theirs.expect("message.new", replay=True))["data"] == message
    edited = await one.call("PUT", f"/messages/{message['id']}", body={"content": ""})
    assert (edited.status, edited.body["attachments"]) == (200, message["attachments"])


async def test_a_download_has_ranges_and_is_no_document(crowd: Crowd, files: Files) -> None:
    user = crowd.newcomer()
    page = b"<!DOCTYPE html><html><script>alert(1)</script>"
    file_id = await files.upload(user, page, 'a/"b".png')
    whole = await files.get(user, file_id)
    assert (whole.status, whole.body) == (200, page)
    told = whole.headers
    assert told["Content-Disposition"] == "attachment; filename=\"a__b_.png\"; filename*=UTF-8''a_%22b%22.png"
    assert (told["Cache-Control"], told["X-Content-Type-Options"]) == ("private, no-store", "nosniff")
    assert told["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    part = await files.get(user, file_id, Range="bytes=5-9")
    assert (part.status, part.body) == (206, page[5:10])
    assert part.headers["Content-Range"] == f"bytes 5-9/{len(page)}"
    assert (await files.get(user, file_id, Range="bytes=-4")).body == page[-4:]
    assert (await files.get(user, file_id, Range="bytes=1000-")).status == 416
    shown = await files.get(user, await files.upload(user, PNG, "a.png"))
    assert shown.headers["Content-Disposition"].startswith("inline;")


async def cut_off(files: Files, upload: Any, url: str, content: bytes) -> None:
    """Sends a part of what the head announces, until it is there, and cuts the connection."""
    parts = urlsplit(url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = [f"PATCH {upload['url']} HTTP/1.1", "Host: x", f"Content-Length: {len(content) * 2}"]
    head += [f"{name}: {value}" for name, value in upload["headers"].items()]
    writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + content)
    await writer.drain()

    async def is_there() -> bool:
        told = await files.ask("HEAD", upload["url"], **upload["headers"])
        return told.headers["Upload-Offset"] == str(len(content))

    await eventually(is_there)
    writer.transport.abort()


async def test_an_upload_continues_where_it_was_cut_off(
    crowd: Crowd, files: Files, stack: SharedStack
) -> None:
    user = crowd.newcomer()
    content = TEXT * 200
    created = await files.create(user, len(content))
    upload, half = created["upload"], len(content) // 2
    await cut_off(files, upload, stack.url, content[:half])
    not_ready = await user.call("POST", f"/files/{created['file_id']}/complete")
    assert (not_ready.status, not_ready.body["code"]) == (409, "file_not_ready")
    assert (await user.get(f"/files/{created['file_id']}")).body["code"] == "file_not_ready"
    for offset, status in ((half - 1, 409), (half + 1, 409), (0, 409), (half, 204)):
        assert (await files.put(upload, content[half:-1], offset)).status == status
    told = await files.ask("HEAD", upload["url"], **upload["headers"])
    assert (told.headers["Upload-Offset"], told.headers["Upload-Length"]) == (
        str(len(content) - 1),
        str(len(content)),
    )
    assert (await files.put(upload, b"xx", len(content) - 1)).status == 413
    last = await files.put(upload, content[-1:], len(content) - 1)
    assert (last.status, last.headers["Upload-Offset"]) == (204, str(len(content)))
    assert (await user.call("POST", f"/files/{created['file_id']}/complete")).status == 200
    assert (await files.get(user, created["file_id"])).body == content
    assert (await files.put(upload, b"x", len(content))).status in (409, 413)


async def test_only_the_uploads_secret_opens_its_door(crowd: Crowd, files: Files) -> None:
    user = crowd.newcomer()
    created, other = await files.create(user, 5), await files.create(user, 5)
    upload = created["upload"]
    for secret in ("", "x", other["upload"]["headers"]["Upload-Token"]):
        stolen = {**upload, "headers": {**upload["headers"], "Upload-Token": secret}}
        assert (await files.put(stolen, b"12345")).status == 404
        assert (await files.ask("HEAD", upload["url"], **stolen["headers"])).status == 404
    assert (await files.ask("PATCH", upload["url"], b"12345", **user.bearer, Upload_Offset="0")).status == 401
    for offset in ("", "-1", "x", "1e3", "9" * 30):
        bad = await files.ask("PATCH", upload["url"], b"1", **{**upload["headers"], "Upload-Offset": offset})
        assert bad.status == 422
    packed = {**upload["headers"], "Content-Encoding": "gzip"}
    assert (await files.ask("PATCH", upload["url"], b"1", **packed)).status == 415
    assert (await files.ask("HEAD", upload["url"], **upload["headers"])).headers["Upload-Offset"] == "0"
    path = upload["url"].rpartition("/")[0]
    for id_ in ("x", str(uuid4())):
        assert (await files.ask("HEAD", f"{path}/{id_}", **upload["headers"])).status == 404


async def test_a_page_of_an_allowed_origin_uploads_and_no_other(
    crowd: Crowd, files: Files, stack: SharedStack
) -> None:
    upload = (await files.create(crowd.newcomer(), 5))["upload"]
    asks = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "upload-token"}
    allowed = await files.ask("OPTIONS", upload["url"], Origin=stack.url, **asks)
    assert "PATCH" in allowed.headers["Access-Control-Allow-Methods"]
    assert {"Upload-Token", "Upload-Offset"} <= set(
        allowed.headers["Access-Control-Allow-Headers"].split(", ")
    )
    put = await files.ask("PATCH", upload["url"], b"12345", Origin=stack.url, **upload["headers"])
    assert (put.status, "Upload-Offset" in put.headers["Access-Control-Expose-Headers"]) == (204, True)
    evil = await files.ask("PATCH", upload["url"], b"", Origin="https://evil.example", **upload["headers"])
    assert evil.status == 403


async def test_a_file_lives_as_long_as_one_message_has_it(
    crowd: Crowd, files: Files, stack: SharedStack
) -> None:
    one, two = crowd.newcomers(2)
    rooms = [await one.create_group(two.user_id) for _ in range(2)]
    file_id = await files.upload(one)
    path = stack.data_dir / "files" / "ready" / file_id[-2:] / file_id
    messages = [await send(one, room, file_id) for room in rooms]
    assert path.read_bytes() == TEXT
    await one.call("DELETE", f"/messages/{messages[0]['id']}")
    gone = (await two.get(f"/conversations/{rooms[0]}/messages")).body["items"][0]
    assert (gone["content"], "attachments" in gone) == (None, False)
    assert (await files.get(two, file_id)).status == 200
    await one.call("DELETE", f"/messages/{messages[1]['id']}")
    assert (await files.get(two, file_id)).status == 404
    late = await one.post(f"/conversations/{rooms[0]}/messages", {"attachments": [file_id]})
    assert (late.status, list(late.body["errors"])) == (404, ["attachments"])

    async def is_removed() -> bool:
        return not path.exists()

    await eventually(is_removed, REMOVED_S)


async def test_only_own_files_that_are_ready_can_be_sent(crowd: Crowd, files: Files) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    path = f"/conversations/{room}/messages"
    own, theirs = await files.upload(one), await files.upload(two)
    unfinished = (await files.create(one, 5))["file_id"]
    for ids, status, code in (
        ([own, theirs], 404, "not_found"),
        ([str(uuid4())], 404, "not_found"),
        ([own, unfinished], 409, "file_not_ready"),
    ):
        reply = await one.post(path, {"content": "x", "attachments": ids})
        assert (reply.status, reply.body["code"]) == (status, code)
    assert (await one.get(f"/conversations/{room}")).body["last_seq"] == 0
    body = {"attachments": [own, own], "client_message_id": "once"}
    first = (await one.post(path, body)).body
    assert [file["file_id"] for file in first["attachments"]] == [own]
    again = await one.post(path, body)
    assert (again.status, again.body) == (200, first)
    other = await one.post(path, {**body, "attachments": [await files.upload(one)]})
    assert (other.status, other.body["code"]) == (409, "idempotency_conflict")
    for empty in ([], None):
        refused = await one.post(path, {"attachments": empty})
        assert (refused.status, list(refused.body["errors"])) == (422, ["content"])
        assert "attachments" not in (await one.post(path, {"content": "x", "attachments": empty})).body


async def test_a_file_and_a_days_files_have_limits(crowd: Crowd) -> None:
    user = crowd.newcomer()
    most = 100 * 2**20
    body = {"name": "a", "size": most, "mime": "text/plain; charset=utf-8"}
    large = await user.post("/files", {**body, "size": most + 1})
    assert (large.status, large.body["code"]) == (413, "file_too_large")
    for _ in range(10):
        assert (await user.post("/files", body)).status == 201
    full = await user.post("/files", body)
    assert (full.status, full.body["code"]) == (403, "quota_exceeded")
    assert (await user.post("/files", {**body, "size": 2**20})).status == 201


async def test_uploads_at_once_keep_their_bytes_apart(crowd: Crowd, files: Files) -> None:
    user = crowd.newcomer()
    contents = [bytes([number]) * 300_000 for number in range(10)]
    ids = await asyncio.wait_for(
        asyncio.gather(*(files.upload(user, content) for content in contents)), LIMIT_S * 3
    )
    for file_id, content in zip(ids, contents, strict=True):
        assert (await files.get(user, file_id)).body == content
