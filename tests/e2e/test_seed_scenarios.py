"""The seed's scenarios of subscribing, typing and several devices, over two workers of each service."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.client import Socket
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.placement import connect_apart, connect_at


async def subscribed(socket: Socket, conversation_id: str) -> Socket:
    """Returns the socket, viewing the conversation."""
    assert (await socket.request("subscribe", conversation_id=conversation_id))["type"] == "subscribed"
    return socket


async def test_subscribing_tells_where_the_conversation_stands_and_who_is_there(crowd: Crowd) -> None:
    one, two, absent = crowd.newcomers(3)
    room = await one.create_group(two.user_id, absent.user_id)
    ours = await subscribed(await one.connect(), room)
    theirs = await two.connect()
    await ours.expect("user.online", user_id=two.user_id)
    for number in range(3):
        await theirs.request("message.send", conversation_id=room, content=f"message {number}")
    await ours.send("subscribe", conversation_id=room)
    assert await ours.wait(lambda f: f["type"] == "subscribed" and f["last_seq"] == 3) == {
        "type": "subscribed",
        "conversation_id": room,
        "last_seq": 3,
        "last_pos": 4,
        "read_seq": 0,
        "recovered": True,
        "online": sorted([one.user_id, two.user_id]),
    }


async def test_a_member_gets_messages_without_subscribing(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    ours, theirs = await one.connect(), await two.connect()
    room = await one.create_group(two.user_id)
    await theirs.expect("conversation.created", conversation_id=room)
    sent = await ours.request("message.send", conversation_id=room, content="to whom it may concern")
    got = await theirs.expect("message.new", conversation_id=room)
    assert got["data"] == sent["data"]


async def test_a_stranger_and_a_missing_conversation_get_one_and_the_same_answer(crowd: Crowd) -> None:
    owner, stranger = crowd.newcomers(2)
    room = await owner.create_group()
    socket = await stranger.connect()
    for type_, extra in (("subscribe", {}), ("message.send", {"content": "hello"}), ("typing.start", {})):
        answers = [await socket.request(type_, conversation_id=id_, **extra) for id_ in (room, str(uuid4()))]
        for answer in answers:
            del answer["ref"]
        expected = {"type": "error", "message": "Not found", "code": "not_found", "retryable": False}
        assert answers == [expected, expected], type_


async def test_unsubscribing_ends_the_ephemeral_frames_and_not_the_messages(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    ours = await one.connect()
    theirs = await subscribed(await two.connect(), room)
    answer = await theirs.request("unsubscribe", conversation_id=room)
    assert (answer["type"], answer["conversation_id"]) == ("unsubscribed", room)
    await ours.request("typing.start", conversation_id=room)
    await ours.request("message.send", conversation_id=room, content="after it")
    await theirs.expect("message.new", conversation_id=room)
    assert theirs.collected("typing.start") == []


@pytest.mark.parametrize("command", ["typing.start", "typing"])
async def test_typing_reaches_other_users_who_look_and_never_the_typist(
    crowd: Crowd, stack: SharedStack, command: str
) -> None:
    pids = await stack.workers("gateway")
    typist, viewer, idle = crowd.newcomers(3)
    room = await typist.create_group(viewer.user_id, idle.user_id)
    own = [await subscribed(socket, room) for socket in await connect_apart(typist, pids)]
    viewing = [await subscribed(socket, room) for socket in await connect_apart(viewer, pids)]
    not_viewing = [await viewer.connect(), *await connect_apart(idle, pids)]
    answer = await own[0].request(command, conversation_id=room)
    assert answer["type"] == "typing.ok"
    await own[0].send("typing.stop", conversation_id=room)
    # A marker: it follows the typing on the conversation's channel.
    await own[0].send("message.send", conversation_id=room, content="typed")
    for socket in [*own, *viewing, *not_viewing]:
        await socket.expect("message.new", conversation_id=room)
    frame = {"conversation_id": room, "user_id": typist.user_id}
    for socket in viewing:
        started = {"type": "typing.start", "expires_in_ms": 6_000, **frame}
        assert socket.collected("typing.start") == [started]
        assert len(socket.collected("typing.stop", **frame)) == 1
    for socket in [*own, *not_viewing]:
        assert socket.collected("typing.start") + socket.collected("typing.stop") == []
    assert len([f for f in own[0].frames if f["type"] == "typing.ok"]) == 1, "an answer without a ref"


async def test_a_strangers_typing_is_an_error_that_nobody_sees(crowd: Crowd) -> None:
    owner, member, stranger = crowd.newcomers(3)
    room = await owner.create_group(member.user_id)
    sockets = [await subscribed(await user.connect(), room) for user in (owner, member)]
    outside = await stranger.connect()
    await outside.send("typing.start", conversation_id=room)
    assert (await outside.expect("error"))["code"] == "not_found"
    await sockets[0].send("message.send", conversation_id=room, content="the fence")
    for socket in sockets:
        await socket.expect("message.new", conversation_id=room)
        assert socket.collected("typing.start") == []
    assert outside.collected("message.new") == []


async def test_commands_of_one_socket_on_one_conversation_keep_their_order(crowd: Crowd) -> None:
    """A user who types on after sending must not be seen typing before the message."""
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    ours = await subscribed(await one.connect(), room)
    theirs = await subscribed(await two.connect(), room)
    await ours.send("message.send", conversation_id=room, content="first")
    await ours.send("typing.start", conversation_id=room)
    await theirs.expect("typing.start", user_id=one.user_id)
    await theirs.expect("message.new", conversation_id=room)
    seen = [f["type"] for f in theirs.frames if f["type"] in ("message.new", "typing.start")]
    assert seen == ["message.new", "typing.start"]


async def test_every_device_on_every_worker_gets_the_message_and_the_sender_both(
    crowd: Crowd, stack: SharedStack
) -> None:
    pids = await stack.workers("gateway")
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    ours, theirs = await connect_apart(one, pids), await connect_apart(two, pids)
    await ours[0].send("message.send", conversation_id=room, content="hello, all")
    sent = await ours[0].expect("message.sent", conversation_id=room)
    news = [await socket.expect("message.new", conversation_id=room) for socket in [*ours, *theirs]]
    assert all(new == {"type": "message.new", **_event_of(sent)} for new in news)
    assert sent["duplicate"] is False
    assert sent["message_id"] == sent["data"]["id"]
    assert ours[1].collected("message.sent") == []


def _event_of(sent: dict[str, object]) -> dict[str, object]:
    data = sent["data"]
    assert isinstance(data, dict)
    return {"conversation_id": sent["conversation_id"], "pos": data["pos"], "data": data}


async def test_only_the_first_device_and_the_last_one_change_who_is_online(
    crowd: Crowd, stack: SharedStack
) -> None:
    pids = await stack.workers("gateway")
    viewer, changing, fence = crowd.newcomers(3)
    room = await viewer.create_group(changing.user_id, fence.user_id)
    viewing = await subscribed(await viewer.connect(), room)
    first, second = await connect_apart(changing, pids)
    await viewing.expect("user.online", user_id=changing.user_id)
    await first.close()
    # A worker reports in order: a user who connects to the same worker afterwards is seen later.
    await connect_at(fence, pids[0], pids)
    await viewing.expect("user.online", user_id=fence.user_id)
    assert len(viewing.collected("user.online", user_id=changing.user_id)) == 1
    assert viewing.collected("user.offline", user_id=changing.user_id) == []
    await second.close()
    offline = await viewing.expect("user.offline", user_id=changing.user_id)
    assert offline["timestamp"].endswith("Z")
    assert offline["last_seen_at"].endswith("Z")
    answer = await viewing.request("subscribe", conversation_id=room)
    assert answer["online"] == sorted([viewer.user_id, fence.user_id])
