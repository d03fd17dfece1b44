"""Members come and go: who gets the events, what they see of the time between, and who takes over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.client import Reply, Socket, User
from tests.e2e.crowd import Crowd


async def say(user: User, room: str, content: str) -> dict[str, Any]:
    reply = await user.post(f"/conversations/{room}/messages", {"content": content})
    assert reply.status == 201, reply
    message: dict[str, Any] = reply.body
    return message


async def add(user: User, room: str, *users: int, **fields: Any) -> Reply:
    return await user.post(f"/conversations/{room}/participants", {"user_ids": list(users), **fields})


async def remove(user: User, room: str, user_id: int) -> Reply:
    return await user.call("DELETE", f"/conversations/{room}/participants/{user_id}")


async def leave(user: User, room: str) -> Reply:
    return await user.call("DELETE", f"/conversations/{room}")


async def set_role(user: User, room: str, user_id: int, role: str) -> Reply:
    return await user.call("PATCH", f"/conversations/{room}/participants/{user_id}", body={"role": role})


async def roles(user: User, room: str) -> dict[int, str]:
    reply = await user.get(f"/conversations/{room}/participants")
    assert reply.status == 200, reply
    return {row["user_id"]: row["role"] for row in reply.body["items"]}


async def texts(user: User, room: str) -> list[str]:
    reply = await user.get(f"/conversations/{room}/messages")
    assert reply.status == 200, reply
    return [item["content"] for item in reply.body["items"]]


async def nothing_of(socket: Socket, room: str, since: int) -> None:
    """The socket has had no frame of the conversation since its frame number `since`."""
    await socket.request("ping")
    late = [frame for frame in socket.frames[since:] if frame.get("conversation_id") == room]
    assert not late, late


async def test_who_is_added_hears_of_it_and_of_all_that_follows(crowd: Crowd) -> None:
    admin, old, new = crowd.newcomers(3)
    room = await admin.create_group(old.user_id)
    theirs, fresh = await old.connect(), await new.connect()
    await say(admin, room, "before")
    reply = await add(admin, room, new.user_id, old.user_id, new.user_id)
    assert reply.status == 200
    assert sorted(row["user_id"] for row in reply.body["items"]) == sorted(
        (admin.user_id, old.user_id, new.user_id)
    )
    for socket in (theirs, fresh):
        told = await socket.expect("participant.added", conversation_id=room, pos=3)
        assert (told["user_id"], told["role"]) == (new.user_id, "member")
    await say(admin, room, "after")
    assert (await fresh.expect("message.new", conversation_id=room))["data"]["content"] == "after"
    assert len(fresh.collected("participant.added")) == 1
    row = (await new.get("/conversations")).body["items"][0]
    assert (row["id"], row["unread"], row["read_seq"], row["last_seq"]) == (room, 1, 1, 2)
    before = (await new.get(f"/conversations/{room}/messages", before_seq=2)).body["items"][0]
    assert (await admin.get(f"/messages/{before['id']}/readers")).body["items"] == []


async def test_who_is_in_already_keeps_his_role_and_takes_no_number(crowd: Crowd) -> None:
    admin, other = crowd.newcomers(2)
    room = await admin.create_group(other.user_id)
    assert (await add(admin, room, other.user_id, admin.user_id, role="observer")).status == 200
    assert await roles(admin, room) == {admin.user_id: "admin", other.user_id: "member"}
    assert (await admin.get(f"/conversations/{room}")).body["last_pos"] == 1


@pytest.mark.parametrize("way", ["removed", "removes himself", "leaves"])
async def test_going_is_the_last_that_one_hears(crowd: Crowd, way: str) -> None:
    admin, goer = crowd.newcomers(2)
    room = await admin.create_group(goer.user_id)
    ours, theirs = await admin.connect(), await goer.connect()
    await theirs.request("subscribe", conversation_id=room)
    ways = {
        "removed": lambda: remove(admin, room, goer.user_id),
        "removes himself": lambda: remove(goer, room, goer.user_id),
        "leaves": lambda: leave(goer, room),
    }
    assert (await ways[way]()).status == 204
    for socket in (ours, theirs):
        told = await socket.expect("participant.removed", conversation_id=room, pos=2)
        assert (told["user_id"], told["role"]) == (goer.user_id, "member")
    received = len(theirs.frames)
    await say(admin, room, "not for him")
    await ours.request("typing.start", conversation_id=room)
    await ours.expect("message.new", conversation_id=room)
    await nothing_of(theirs, room, received)
    refused = await goer.get(f"/conversations/{room}/messages")
    assert (refused.status, refused.body["code"]) == (403, "not_member")
    assert (await theirs.request("subscribe", conversation_id=room))["code"] in ("not_member", "not_found")
    again = await ways[way]()
    assert (again.status, again.body["code"]) == (404, "not_found")
    assert room not in [row["id"] for row in (await goer.get("/conversations")).body["items"]]


async def test_who_comes_back_sees_nothing_of_the_time_between(crowd: Crowd) -> None:
    admin, goer = crowd.newcomers(2)
    room = await admin.create_group(goer.user_id)
    theirs = await goer.connect()
    await say(admin, room, "one")
    await remove(admin, room, goer.user_id)
    between = await say(admin, room, "two")
    assert (await add(admin, room, goer.user_id)).status == 200
    row = (await goer.get("/conversations")).body["items"][0]
    assert (row["id"], row["unread"], row["last_message"]) == (room, 0, None)
    await say(admin, room, "three")
    assert await texts(goer, room) == ["three", "one"]
    assert await texts(admin, room) == ["three", "two", "one"]
    after = await goer.get(f"/conversations/{room}/messages", after_seq=1)
    assert [item["content"] for item in after.body["items"]] == ["three"]
    told = await theirs.expect("message.new", conversation_id=room, pos=2)
    assert told["data"]["content"] == "one"
    await theirs.expect("message.new", conversation_id=room, pos=6)
    assert not theirs.collected("message.new", pos=4)
    readers = await goer.get(f"/messages/{between['id']}/readers")
    assert (readers.status, readers.body["code"]) == (404, "not_found")


async def test_the_last_admin_is_followed_by_who_stands_longest(crowd: Crowd) -> None:
    admin, watcher, first, second = crowd.newcomers(4)
    room = await admin.create_group()
    ours = await admin.connect()
    await add(admin, room, watcher.user_id, role="observer")
    await add(admin, room, second.user_id)
    await add(admin, room, first.user_id)
    theirs = await first.connect()
    assert (await leave(admin, room)).status == 204
    assert await roles(first, room) == {
        watcher.user_id: "observer",
        second.user_id: "admin",
        first.user_id: "member",
    }
    gone = await theirs.expect("participant.removed", conversation_id=room, user_id=admin.user_id)
    heir = await theirs.expect("participant.updated", conversation_id=room, user_id=second.user_id)
    assert (gone["pos"], heir["pos"], heir["role"]) == (5, 6, "admin")
    await ours.expect("participant.removed", conversation_id=room)
    assert not ours.collected("participant.updated")


async def test_when_nobody_is_left_the_conversation_is_closed(crowd: Crowd) -> None:
    admin, other = crowd.newcomers(2)
    room = await admin.create_group(other.user_id)
    await leave(other, room)
    assert (await leave(admin, room)).status == 204
    for user in (admin, other):
        reply = await user.get(f"/conversations/{room}")
        assert (reply.status, reply.body["code"]) == (404, "not_found")


async def test_a_new_role_counts_at_once(crowd: Crowd) -> None:
    admin, other = crowd.newcomers(2)
    room = await admin.create_group(other.user_id)
    theirs = await other.connect()
    reply = await set_role(admin, room, other.user_id, "observer")
    assert (reply.status, reply.body["user_id"], reply.body["role"]) == (200, other.user_id, "observer")
    await theirs.expect("participant.updated", conversation_id=room, pos=2, role="observer")
    refused = await theirs.request("message.send", conversation_id=room, content="no")
    assert refused["code"] == "forbidden"
    assert (await set_role(admin, room, other.user_id, "observer")).status == 200
    assert (await admin.get(f"/conversations/{room}")).body["last_pos"] == 2


async def test_the_last_admin_stays_one(crowd: Crowd) -> None:
    admin, other = crowd.newcomers(2)
    room = await admin.create_group(other.user_id)
    assert (await set_role(admin, room, admin.user_id, "member")).status == 403
    assert (await set_role(admin, room, other.user_id, "admin")).status == 200
    assert (await set_role(admin, room, admin.user_id, "member")).status == 200


async def test_a_new_title_is_told_to_all(crowd: Crowd) -> None:
    admin, other = crowd.newcomers(2)
    room = await admin.create_group(other.user_id)
    theirs = await other.connect()
    reply = await admin.call("PATCH", f"/conversations/{room}", body={"title": "새 이름"})
    assert (reply.status, reply.body["title"], reply.body["last_pos"]) == (200, "새 이름", 2)
    told = await theirs.expect("conversation.updated", conversation_id=room, pos=2)
    assert (told["data"]["id"], told["data"]["title"]) == (room, "새 이름")
    assert (await other.call("PATCH", f"/conversations/{room}", body={"title": "x"})).status == 403


async def test_a_direct_that_is_put_away_comes_back_with_its_next_message(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    created = await one.post("/conversations", {"type": "direct", "participant_ids": [two.user_id]})
    room = created.body["id"]
    ours = await one.connect()
    assert (await leave(one, room)).status == 204
    await ours.expect("conversation.deleted", conversation_id=room)
    assert (await leave(one, room)).status == 404
    assert (await one.get("/conversations")).body["items"] == []
    assert (await one.get("/sync")).body["items"] == []
    assert [row["id"] for row in (await two.get("/conversations")).body["items"]] == [room]
    assert (await one.get(f"/conversations/{room}")).status == 200
    await say(two, room, "still there?")
    await ours.expect("message.new", conversation_id=room)
    assert [row["id"] for row in (await one.get("/conversations")).body["items"]] == [room]
    assert (await leave(one, room)).status == 204


async def test_a_direct_has_its_two_for_good(crowd: Crowd) -> None:
    one, two, three = crowd.newcomers(3)
    created = await one.post("/conversations", {"type": "direct", "participant_ids": [two.user_id]})
    room = created.body["id"]
    replies = [
        await add(one, room, three.user_id),
        await remove(one, room, two.user_id),
        await remove(one, room, one.user_id),
        await set_role(one, room, two.user_id, "admin"),
        await one.call("PATCH", f"/conversations/{room}", body={"title": "x"}),
    ]
    assert [(reply.status, reply.body["code"]) for reply in replies] == [(403, "forbidden")] * 5


async def test_settings_stay_and_are_told_to_ones_own_sockets(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    ours, theirs = await one.connect(), await two.connect()
    path = f"/conversations/{room}/settings"
    defaults = {"muted": False, "muted_until": None, "push_enabled": True, "email_enabled": True}
    defaults |= {"notify": "all"}
    assert (await one.get(path)).body == defaults
    reply = await one.call("PUT", path, body={"muted": True, "email_enabled": False})
    wanted = {**defaults, "muted": True, "email_enabled": False}
    assert (reply.status, reply.body) == (200, wanted)
    assert (await ours.expect("settings.updated", conversation_id=room))["data"] == wanted
    assert (await one.get("/conversations")).body["items"][0]["muted"] is True
    until = {"muted_until": "2001-01-01T00:00:00+09:00"}
    past = await one.call("PUT", path, body=until)
    assert (past.body["muted"], past.body["muted_until"]) == (False, "2000-12-31T15:00:00.000000Z")
    assert (await one.call("PUT", path, body={"muted": "yes"})).status == 422
    await theirs.request("ping")
    assert not theirs.collected("settings.updated")


async def test_sync_tells_where_everything_stands(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    rooms = [await one.create_group(two.user_id) for _ in range(3)]
    for number, room in enumerate(rooms):
        for _ in range(number):
            await say(two, room, "hi")
    found: list[dict[str, Any]] = []
    page = await one.get("/sync", limit=2)
    found += page.body["items"]
    page = await one.get("/sync", limit=2, cursor=page.body["next_cursor"])
    found += page.body["items"]
    assert page.body["next_cursor"] is None
    by_room = {row["conversation_id"]: row for row in found}
    for number, room in enumerate(rooms):
        row = by_room[room]
        assert (row["last_seq"], row["last_pos"], row["unread"]) == (number, number + 1, number)


async def test_a_hundred_creations_of_one_direct_at_once_make_one(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    replies = await asyncio.gather(
        *(
            here.post("/conversations", {"type": "direct", "participant_ids": [there.user_id]})
            for here, there in [(one, two), (two, one)] * 50
        )
    )
    assert {reply.status for reply in replies} == {200, 201}
    assert len({reply.body["id"] for reply in replies}) == 1
    assert sum(reply.status == 201 for reply in replies) == 1
