"""The states of a file: who gets what in each of them, and what members are told when one changes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any, Final
from uuid import uuid4

import aiohttp
import orjson
import psycopg2
import pytest

from tests.client import BASE_PATH, Frame, Socket, User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.uploads import PICTURE, PNG, Files, png

# A gateway looks for files that are due every ten seconds, and a machine may be slow.
EXAMINED_S = 90.0
# `former` was removed before the message was sent; `absent` too, and came back later; `later` joined later.
STATUSES: Final = """
state     route     uploader  member  later  former  absent  stranger  nobody
open      bytes     409       404     404    404     404     404       401
open      thumb     409       404     404    404     404     404       401
open      complete  409       404     404    404     404     404       401
unsent    bytes     200       404     404    404     404     404       401
unsent    thumb     200       404     404    404     404     404       401
unsent    complete  200       404     404    404     404     404       401
pending   bytes     409       409     409    404     404     404       401
pending   thumb     409       409     409    404     404     404       401
pending   complete  200       404     404    404     404     404       401
ready     bytes     200       200     200    404     404     404       401
ready     thumb     200       200     200    404     404     404       401
ready     complete  200       404     404    404     404     404       401
rejected  bytes     404       404     404    404     404     404       401
rejected  thumb     404       404     404    404     404     404       401
rejected  complete  200       404     404    404     404     404       401
deleted   bytes     404       404     404    404     404     404       401
deleted   thumb     404       404     404    404     404     404       401
deleted   complete  404       404     404    404     404     404       401
"""
_HEAD, *_LINES = [line.split() for line in STATUSES.strip().splitlines()]
PEOPLE = _HEAD[2:]
EXPECTED: dict[str, dict[tuple[str, str], int]] = {}
for _state, _route, *_cells in _LINES:
    _row = EXPECTED.setdefault(_state, {})
    _row |= {(_route, who): int(cell) for who, cell in zip(PEOPLE, _cells, strict=True)}
PENDING = "UPDATE messenger.files SET state = 'pending', process_at = %s WHERE id = %s"
REJECT = "SELECT FROM messenger.settle_file(%s, %s)"
REJECTED = {"state": "rejected", "mime": "image/png", "kind": "image", "size": 1}


@pytest.fixture
async def files(stack: SharedStack) -> AsyncIterator[Files]:
    async with aiohttp.ClientSession() as http:
        yield Files(http, stack.url)


class Rows:
    """The rows of files in the stack's own database."""

    def __init__(self, url: str) -> None:
        self._url = url

    def change(self, sql: str, *parameters: Any) -> None:
        with closing(psycopg2.connect(self._url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)


@pytest.fixture
def rows(stack: SharedStack) -> Rows:
    return Rows(stack.database_url)


async def send(user: User, room: str, file_id: str) -> Any:
    reply = await user.post(f"/conversations/{room}/messages", {"attachments": [file_id]})
    assert reply.status == 201, reply
    return reply.body


async def file_in(state: str, people: dict[str, User], files: Files, rows: Rows) -> str:
    """Brings a file into a state; it is in a message unless it is open or unsent. Returns its id."""
    uploader = people["uploader"]
    away = [people[name].user_id for name in ("former", "absent")]
    room = await uploader.create_group(people["member"].user_id, *away)
    for user_id in away:
        await uploader.call("DELETE", f"/conversations/{room}/participants/{user_id}")
    if state == "open":
        return str((await files.create(uploader, len(PICTURE)))["file_id"])
    file_id = await files.upload(uploader, PICTURE, "a.png")
    if state in ("pending", "rejected"):
        rows.change(PENDING, "infinity", file_id)
    if state != "unsent":
        message = await send(uploader, room, file_id)
        back = [people[name].user_id for name in ("absent", "later")]
        await uploader.post(f"/conversations/{room}/participants", {"user_ids": back})
        if state == "deleted":
            await uploader.call("DELETE", f"/messages/{message['id']}")
    if state == "rejected":
        rows.change(REJECT, file_id, orjson.dumps(REJECTED).decode())
    return file_id


async def ask(files: Files, user: User | None, route: str, file_id: str) -> Any:
    if route != "complete":
        return await files.get(user, file_id, 320 if route == "thumb" else None)
    bearer = user.bearer if user is not None else {}
    return await files.ask("POST", f"{BASE_PATH}/files/{file_id}/complete", **bearer)


@pytest.mark.parametrize("state", EXPECTED)
async def test_who_gets_what_of_a_file_in_each_state(
    crowd: Crowd, files: Files, rows: Rows, state: str
) -> None:
    people = dict(zip(PEOPLE, crowd.newcomers(len(PEOPLE)), strict=True))
    file_id = await file_in(state, people, files, rows)
    found = {}
    for route, who in EXPECTED[state]:
        user = people[who] if who != "nobody" else None
        reply = await ask(files, user, route, file_id)
        found[route, who] = reply.status
        if reply.status == 200:
            assert reply.headers["Cache-Control"] == (
                "private, no-store" if route != "complete" else "no-store"
            )
        if reply.status == 404:
            # The answer doesn't tell whether there is such a file.
            assert reply.body == (await ask(files, user, route, str(uuid4()))).body
        if reply.status == 409:
            assert orjson.loads(reply.body)["code"] == "file_not_ready"
    assert found == EXPECTED[state]


async def test_a_picture_loses_its_metadata_and_has_previews(crowd: Crowd, files: Files) -> None:
    user = crowd.newcomer()
    told = png(2_000, 1_000, b"tEXtComment\0taken at home")
    assert b"taken at home" in told
    file_id = await files.upload(user, told, "a.png")
    file = await files.complete(user, file_id)
    assert (file["width"], file["height"], file["thumbs"]) == (2_000, 1_000, [320, 840])
    assert re.fullmatch(r"\S{6,100}", file["blurhash"])
    got = await files.get(user, file_id)
    assert (len(got.body), b"taken at home" in got.body) == (file["size"], False)
    for side in file["thumbs"]:
        thumb = await files.get(user, file_id, side)
        assert (thumb.headers["Content-Type"], thumb.body[8:12]) == ("image/webp", b"WEBP")
        assert thumb.headers["Content-Disposition"].startswith('inline; filename="a.webp"')
    for side, status in ((100, 422), (0, 422)):
        assert (await files.get(user, file_id, side)).status == status


async def test_what_is_no_picture_is_a_file_to_be_downloaded(crowd: Crowd, files: Files) -> None:
    user = crowd.newcomer()
    file_id = await files.upload(user, PNG[:40] + b"<script>", "a.png")
    file = await files.complete(user, file_id)
    assert (file["state"], file["kind"], "width" in file, "thumbs" in file) == ("ready", "file", False, False)
    got = await files.get(user, file_id)
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert (await files.get(user, file_id, 320)).status == 404


def files_of(frame: Frame) -> list[str]:
    return [file["state"] for file in frame["attachments"]]


async def told(socket: Socket, room: str) -> Frame:
    return await socket.wait(
        lambda frame: frame["type"] == "message.files" and frame["conversation_id"] == room,
        "message.files",
        EXAMINED_S,
    )


async def test_members_are_told_once_a_pending_file_is_ready(crowd: Crowd, files: Files, rows: Rows) -> None:
    one, two = crowd.newcomers(2)
    rooms = [await one.create_group(two.user_id) for _ in range(2)]
    file_id = await files.upload(one, PICTURE, "a.png")
    rows.change(PENDING, "infinity", file_id)
    ours, theirs, late = await one.connect(), await two.connect(), await two.connect()
    messages = [await send(one, room, file_id) for room in rooms]
    assert [file["state"] for file in messages[0]["attachments"]] == ["pending"]
    for room in rooms:
        await late.expect("message.new", conversation_id=room)
    await late.close()

    # As if the gateway that examined it had died: another one takes it.
    rows.change(PENDING, "now", file_id)
    for message in messages:
        frames = [await told(socket, message["conversation_id"]) for socket in (ours, theirs)]
        assert frames[0] == frames[1]
        assert (frames[0]["message_id"], frames[0]["pos"]) == (message["id"], message["pos"] + 1)
        assert files_of(frames[0]) == ["ready"]
        assert frames[0]["attachments"][0]["thumbs"] == [320, 840]

    # History, resume and replay have the latest state once, and the message's own numbers are the same.
    room, message = rooms[0], messages[0]
    [shown] = (await two.get(f"/conversations/{room}/messages")).body["items"]
    assert shown == {**message, "attachments": frames[0]["attachments"]}
    again = await two.connect()
    await again.send("resume", positions={room: message["pos"]}, ref="r")
    replayed = await again.expect("message.files", conversation_id=room, replay=True)
    assert (replayed["message_id"], replayed["attachments"]) == (message["id"], frames[0]["attachments"])
    await theirs.send("subscribe", conversation_id=room, after_pos=1)
    assert await theirs.expect("message.files", conversation_id=room, replay=True) == replayed
    # One for each room, and the replays.
    assert [len(socket.collected("message.files")) for socket in (ours, theirs, again)] == [2, 3, 1]


async def test_a_rejected_file_is_told_and_can_not_be_sent_again(
    crowd: Crowd, files: Files, rows: Rows
) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    file_id = await files.upload(one, PICTURE, "a.png")
    rows.change(PENDING, "infinity", file_id)
    message = await send(one, room, file_id)
    rows.change(REJECT, file_id, orjson.dumps(REJECTED).decode())
    socket = await two.connect()
    await socket.send("subscribe", conversation_id=room, after_pos=message["pos"])
    frame = await socket.expect("message.files", message_id=message["id"])
    assert files_of(frame) == ["rejected"]
    again = await one.post(f"/conversations/{room}/messages", {"attachments": [file_id]})
    assert (again.status, list(again.body["errors"])) == (404, ["attachments"])
    deleted = await one.call("DELETE", f"/messages/{message['id']}")
    assert deleted.status == 204
    await socket.expect("message.deleted", message_id=message["id"], pos=frame["pos"] + 1)
