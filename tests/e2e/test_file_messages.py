"""A message may be only a file: without a text, with a blank one, and with one that is removed later."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client import User
from tests.e2e.crowd import Crowd

FILE = {"file_url": "https://files.example.org/a.pdf", "file_name": "a.pdf", "file_size": 5}
LEFT_OUT: dict[str, Any] = {}
BLANKS = [LEFT_OUT, {"content": None}, {"content": ""}, {"content": " \t\n"}]


async def sent(user: User, room: str, transport: str, body: dict[str, Any]) -> tuple[str, Any]:
    """Returns `ok` and the message, or the code of the refusal and the fields at fault."""
    if transport == "rest":
        reply = await user.post(f"/conversations/{room}/messages", body)
        if reply.status in (200, 201):
            return "ok", reply.body
        return reply.body["code"], list(reply.body["errors"])
    socket = user.sockets[0] if user.sockets else await user.connect()
    answer = await socket.request("message.send", conversation_id=room, **body)
    if answer["type"] == "message.sent":
        return "ok", answer["data"]
    return answer["code"], list(answer["details"])


@pytest.mark.parametrize("transport", ["rest", "socket"])
@pytest.mark.parametrize("blank", BLANKS, ids=str)
@pytest.mark.parametrize("type_", ["text", "image", "file"])
async def test_a_file_needs_no_text(crowd: Crowd, transport: str, blank: dict[str, Any], type_: str) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    theirs = await two.connect()
    code, message = await sent(one, room, transport, {"message_type": type_, **FILE, **blank})
    assert code == "ok"
    assert message["content"] == (blank.get("content") or "")
    assert (message["file_url"], message["message_type"]) == (FILE["file_url"], type_)
    assert (await theirs.expect("message.new", conversation_id=room))["data"] == message
    [row] = (await two.get("/conversations")).body["items"]
    assert (row["last_message"], row["unread"]) == (message, 1)


@pytest.mark.parametrize("transport", ["rest", "socket"])
async def test_without_a_file_there_is_a_text_and_an_image_needs_a_file(crowd: Crowd, transport: str) -> None:
    user = crowd.newcomer()
    room = await user.create_group()
    for blank in BLANKS:
        for named in ({}, {"file_name": "a.pdf", "file_size": 5}, {"file_url": None}):
            assert await sent(user, room, transport, {**blank, **named}) == ("invalid_frame", ["content"])
    for type_ in ("image", "file"):
        for blank in (*BLANKS, {"content": "a text"}):
            refused = await sent(user, room, transport, {"message_type": type_, **blank})
            assert refused == ("invalid_frame", ["file_url"])
    assert (await user.get(f"/conversations/{room}")).body["last_seq"] == 0


@pytest.mark.parametrize("transport", ["rest", "socket"])
async def test_the_same_file_again_is_a_repeat_and_another_one_a_conflict(
    crowd: Crowd, transport: str
) -> None:
    user = crowd.newcomer()
    room = await user.create_group()
    body = {"message_type": "file", "client_message_id": "once", **FILE}
    first = await sent(user, room, transport, body)
    assert await sent(user, room, transport, body) == first
    other = {**body, "file_url": "https://files.example.org/b.pdf"}
    reply = await user.post(f"/conversations/{room}/messages", other)
    assert (reply.status, reply.body["code"]) == (409, "idempotency_conflict")


@pytest.mark.parametrize("blank", BLANKS[1:], ids=str)
async def test_a_text_may_be_taken_away_from_a_file_and_put_back(crowd: Crowd, blank: dict[str, Any]) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    ours, theirs = await one.connect(), await two.connect()
    _, message = await sent(one, room, "rest", {"message_type": "image", "content": "a caption", **FILE})
    edited = await ours.request("message.edit", message_id=message["id"], **blank)
    assert edited["data"]["content"] == (blank["content"] or "")
    told = await theirs.expect("message.edited", message_id=message["id"])
    assert (told["data"]["version"], told["data"]["file_url"]) == (2, FILE["file_url"])
    again = await one.call(
        "PUT", f"/messages/{message['id']}", body={"content": "another", "expected_version": 2}
    )
    assert (again.status, again.body["content"]) == (200, "another")
    versions = (await one.get(f"/messages/{message['id']}/history")).body["items"]
    assert [version["content"] for version in versions] == ["a caption", blank["content"] or ""]


async def test_a_blank_edit_of_anything_else_is_refused_as_ever(crowd: Crowd) -> None:
    one, two, stranger = crowd.newcomers(3)
    room = await one.create_group(two.user_id)
    _, text = await sent(one, room, "rest", {"content": "a text"})
    _, file = await sent(one, room, "rest", {"message_type": "file", "content": "a file", **FILE})
    for user, message, code in (
        (one, text, "invalid_frame"),
        (two, text, "invalid_frame"),
        (stranger, text, "invalid_frame"),
        (stranger, file, "invalid_frame"),
        (two, file, "forbidden"),
    ):
        reply = await user.call("PUT", f"/messages/{message['id']}", body={"content": " "})
        assert reply.body["code"] == code
    left_out = await one.call("PUT", f"/messages/{file['id']}", body={})
    assert (left_out.status, list(left_out.body["errors"])) == (422, ["content"])
    await one.call("DELETE", f"/messages/{file['id']}")
    assert (await one.call("PUT", f"/messages/{file['id']}", body={"content": ""})).status in (404, 422)
