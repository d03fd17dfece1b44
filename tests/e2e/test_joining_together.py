"""Many users who join at once are one event: for members, for the new ones, and in a replay."""

from __future__ import annotations

from typing import Any

from tests.client import Reply, User
from tests.e2e.crowd import Crowd

MANY = 1_000


async def add(user: User, room: str, user_ids: list[int], **fields: Any) -> Reply:
    return await user.post(f"/conversations/{room}/participants", {"user_ids": user_ids, **fields})


def ids(frame: dict[str, Any]) -> list[int]:
    return sorted(row["user_id"] for row in frame["users"])


async def test_many_are_one_event_with_one_pos_and_those_who_come_hear_it_too(crowd: Crowd) -> None:
    admin, old, *new = crowd.newcomers(5)
    room = await admin.create_group(old.user_id)
    sockets = [await user.connect() for user in (admin, old, *new)]
    reply = await add(admin, room, [old.user_id, *(user.user_id for user in new)], role="observer")
    assert (reply.status, len(reply.body["items"])) == (200, 5)
    for socket in sockets:
        frame = await socket.expect("participant.added", conversation_id=room)
        assert (frame["pos"], ids(frame)) == (2, sorted(user.user_id for user in new))
        assert {row["role"] for row in frame["users"]} == {"observer"}
        assert not {"user_id", "role"} & frame.keys()
    sent = await admin.post(f"/conversations/{room}/messages", {"content": "welcome"})
    assert sent.body["pos"] == 3
    for socket in sockets:
        assert (await socket.expect("message.new", conversation_id=room))["data"] == sent.body
        assert len(socket.collected("participant.added")) == 1


async def test_a_single_one_keeps_the_older_fields(crowd: Crowd) -> None:
    admin, new = crowd.newcomers(2)
    room = await admin.create_group()
    sockets = [await admin.connect(), await new.connect()]
    await add(admin, room, [admin.user_id, new.user_id])
    for socket in sockets:
        frame = await socket.expect("participant.added", conversation_id=room, pos=2)
        assert frame["users"] == [{"user_id": new.user_id, "role": "member"}]
        assert (frame["user_id"], frame["role"]) == (new.user_id, "member")


async def test_a_thousand_fit_in_one_frame_and_in_one_replay(crowd: Crowd) -> None:
    admin, late = crowd.newcomers(2)
    room = await admin.create_group()
    there = await admin.connect()
    strangers = [2**53 - 1 - n for n in range(MANY - 1)]
    theirs = await late.connect()
    assert (await add(admin, room, [*strangers, late.user_id])).status == 200
    for socket in (there, theirs):
        frame = await socket.expect("participant.added", conversation_id=room, pos=2)
        assert ids(frame) == sorted([*strangers, late.user_id])
    assert (await admin.get(f"/conversations/{room}")).body["participants_count"] == MANY + 1
    await add(admin, room, list(range(1, 601)))
    await there.expect("participant.added", conversation_id=room, pos=3)
    back = await admin.connect()
    answer = await back.request("resume", positions={room: 1})
    assert answer["conversations"][room] == {"from": 1, "to": 3, "recovered": True}
    replayed = [frame for frame in back.frames if frame.get("replay")]
    assert [(frame["pos"], len(frame["users"])) for frame in replayed] == [(2, MANY), (3, 600)]


async def test_a_replay_tells_each_in_the_latest_state(crowd: Crowd) -> None:
    admin, stays, rises, goes, returns = crowd.newcomers(5)
    room = await admin.create_group()
    path = f"/conversations/{room}/participants"
    await add(admin, room, [user.user_id for user in (stays, rises, goes, returns)])
    await admin.call("PATCH", f"{path}/{rises.user_id}", body={"role": "admin"})
    await admin.call("DELETE", f"{path}/{goes.user_id}")
    await admin.call("DELETE", f"{path}/{returns.user_id}")
    await add(admin, room, [stays.user_id, returns.user_id])
    for user in (admin, stays):
        for _ in range(2):
            socket = await user.connect()
            answer = await socket.request("resume", positions={room: 1})
            assert answer["conversations"][room] == {"from": 1, "to": 6, "recovered": True}
            frames = [frame for frame in socket.frames if frame.get("replay")]
            told = [(frame["type"], frame["pos"], frame["user_id"], frame["role"]) for frame in frames]
            assert told == [
                ("participant.added", 2, stays.user_id, "member"),
                ("participant.added", 3, rises.user_id, "admin"),
                ("participant.removed", 4, goes.user_id, "member"),
                ("participant.added", 6, returns.user_id, "member"),
            ]


async def test_those_who_come_back_together_see_nothing_of_the_time_between(crowd: Crowd) -> None:
    admin, one, two = crowd.newcomers(3)
    room = await admin.create_group(one.user_id, two.user_id)
    path = f"/conversations/{room}"
    for user in (one, two):
        await admin.call("DELETE", f"{path}/participants/{user.user_id}")
    await admin.post(f"{path}/messages", {"content": "between"})
    theirs = await one.connect()
    await add(admin, room, [one.user_id, two.user_id])
    await theirs.expect("participant.added", conversation_id=room, pos=5)
    await admin.post(f"{path}/messages", {"content": "after"})
    await theirs.expect("message.new", conversation_id=room, pos=6)
    assert not theirs.collected("message.new", pos=4)
    for user in (one, two):
        texts = [row["content"] for row in (await user.get(f"{path}/messages")).body["items"]]
        assert texts == ["after"]
