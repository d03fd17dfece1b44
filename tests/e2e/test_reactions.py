"""Reactions to messages, by socket and REST."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from messenger_shared.contract.identifiers import new_id
from tests.client import Socket, User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.hosts import host_with, new_key
from tests.waiting import eventually

THUMB, HEART, PARTY = "👍", "❤️", "🎉"


class Scene:
    """A group of an admin, a member and an observer, with a message of the admin's."""

    def __init__(self, admin: User, member: User, observer: User, room: str, message: str) -> None:
        self.admin, self.member, self.observer = admin, member, observer
        self.room, self.message = room, message

    async def react(self, user: User, emoji: str = THUMB, method: str = "PUT", message: str = "") -> Any:
        path = f"/messages/{message or self.message}/reactions/{quote(emoji)}"
        return await user.call(method, path)

    async def reactions(self, reader: User) -> Any:
        """Returns the reactions of the message as the reader gets them; None without any."""
        page = await reader.get(f"/conversations/{self.room}/messages")
        [found] = [message for message in page.body["items"] if message["id"] == self.message]
        return found.get("reactions")


@pytest.fixture
async def scene(crowd: Crowd) -> Scene:
    admin, member, observer = crowd.newcomers(3)
    room = await admin.create_group(member.user_id)
    path = f"/conversations/{room}/participants"
    assert (await admin.post(path, {"user_ids": [observer.user_id], "role": "observer"})).status == 200
    sent = await admin.post(f"/conversations/{room}/messages", {"content": "hello"})
    return Scene(admin, member, observer, room, sent.body["id"])


async def test_by_socket_a_reaction_is_one_event_for_all_and_a_repeat_is_none(scene: Scene) -> None:
    one, two = await scene.admin.connect(), await scene.member.connect()
    for _ in range(2):
        await two.send("reaction.set", message_id=scene.message, emoji=THUMB, on=True, ref="r")
        answer = await two.expect("reaction.ok", ref="r")
        counts = [{"emoji": THUMB, "count": 1, "user_ids": [scene.member.user_id]}]
        assert (answer["message_id"], answer["counts"], answer["mine"]) == (scene.message, counts, [THUMB])
    for socket in (one, two):
        event = await socket.expect("message.reactions", conversation_id=scene.room)
        assert (event["message_id"], event["pos"], event["counts"]) == (scene.message, 4, counts)
        assert event["changes"] == [{"user_id": scene.member.user_id, "emoji": THUMB, "on": True}]
    await one.send("reaction.set", message_id=scene.message, emoji=HEART, on=True)
    later = await two.expect("message.reactions", pos=5)
    assert [row["emoji"] for row in later["counts"]] == [THUMB, HEART]
    assert len(two.collected("message.reactions")) == 2
    assert not one.collected("reaction.ok")


async def test_by_rest_it_is_set_listed_and_removed(scene: Scene) -> None:
    assert await scene.reactions(scene.member) is None
    for user in (scene.observer, scene.member, scene.admin):
        reply = await scene.react(user)
        assert (reply.status, reply.body["mine"]) == (200, [THUMB])
    await scene.react(scene.admin, HEART)
    ids = [user.user_id for user in (scene.observer, scene.member, scene.admin)]
    assert await scene.reactions(scene.member) == [
        {"emoji": THUMB, "count": 3, "user_ids": ids, "mine": True},
        {"emoji": HEART, "count": 1, "user_ids": [scene.admin.user_id], "mine": False},
    ]
    who = await scene.member.get(f"/messages/{scene.message}/reactions", emoji=THUMB, limit=2)
    assert [row["user_id"] for row in who.body["items"]] == ids[:2]
    assert set(who.body["users"]) == {str(id_) for id_ in ids[:2]}
    rest = await scene.member.get(f"/messages/{scene.message}/reactions", cursor=who.body["next_cursor"])
    assert [(row["user_id"], row["emoji"]) for row in rest.body["items"]] == [
        (ids[2], THUMB),
        (ids[2], HEART),
    ]
    for _ in range(2):
        assert (await scene.react(scene.member, method="DELETE")).status == 204
    assert [row["count"] for row in await scene.reactions(scene.member)] == [2, 1]
    listed = (await scene.member.get("/conversations")).body["items"][0]["last_message"]["reactions"]
    assert listed == await scene.reactions(scene.member)


@pytest.mark.parametrize(
    ("given", "stored"), [("❤", HEART), ("1⃣", "1️⃣"), ("🇰🇷", "🇰🇷"), ("👍🏽", "👍🏽"), ("👩‍❤‍👨", "👩‍❤️‍👨")]
)
async def test_an_emoji_is_the_same_however_it_is_written(scene: Scene, given: str, stored: str) -> None:
    assert (await scene.react(scene.member, given)).body["counts"][0]["emoji"] == stored
    assert (await scene.react(scene.admin, stored)).body["counts"][0]["count"] == 2


@pytest.mark.parametrize("text", ["a", "👍👍", "1", "🇰", "👍 ", "\u200d", ":+1:", "x" * 300])
async def test_what_is_no_emoji_is_refused(scene: Scene, text: str) -> None:
    reply = await scene.react(scene.member, text)
    assert (reply.status, reply.body["code"]) == (422, "bad_emoji")
    socket = await scene.member.connect()
    await socket.send("reaction.set", message_id=scene.message, emoji=text, on=True, ref="r")
    assert (await socket.expect("error", ref="r"))["code"] == "bad_emoji"


async def test_strangers_former_members_and_other_messages(scene: Scene, crowd: Crowd) -> None:
    stranger = crowd.newcomer()
    assert (await scene.react(stranger)).body["code"] == "not_found"
    assert (await scene.react(scene.member, message=new_id())).body["code"] == "not_found"
    await scene.admin.call("DELETE", f"/conversations/{scene.room}/participants/{scene.member.user_id}")
    assert (await scene.react(scene.member)).body["code"] == "not_member"
    assert (await scene.member.get(f"/messages/{scene.message}/reactions")).body["code"] == "not_member"
    assert (await stranger.get(f"/messages/{scene.message}/reactions")).body["code"] == "not_found"
    assert await scene.reactions(scene.admin) is None


async def test_a_message_has_at_most_thirty_emoji(scene: Scene) -> None:
    faces = [chr(0x1F600 + number) for number in range(31)]
    # Together: one by one, each would wait for 0.3 s.
    replies = await asyncio.gather(*(scene.react(scene.member, face) for face in faces[:30]))
    assert {reply.status for reply in replies} == {200}
    refused = await scene.react(scene.admin, faces[30])
    assert (refused.status, refused.body["code"]) == (409, "reaction_limit")
    assert (await scene.react(scene.admin, faces[0])).status == 200
    await scene.react(scene.member, faces[1], "DELETE")
    assert (await scene.react(scene.admin, faces[30])).status == 200


async def test_deleting_the_message_ends_its_reactions(scene: Scene) -> None:
    await scene.react(scene.member)
    await scene.admin.call("DELETE", f"/messages/{scene.message}")
    assert await scene.reactions(scene.member) is None
    assert (await scene.react(scene.member)).body["code"] == "not_found"
    assert (await scene.member.get(f"/messages/{scene.message}/reactions")).body["code"] == "not_found"


async def test_a_host_that_deletes_the_message_ends_its_reactions_and_its_pin(
    scene: Scene, stack: SharedStack
) -> None:
    await scene.react(scene.member)
    await scene.admin.call("PUT", f"/messages/{scene.message}/pin")
    async with host_with(stack.url, await asyncio.to_thread(new_key, stack.data_dir, "messages")) as host:
        assert (await host.call("DELETE", f"/server/messages/{scene.message}")).status == 204
    assert await scene.reactions(scene.member) is None
    assert (await scene.member.get(f"/conversations/{scene.room}/pins")).body["items"] == []


async def replayed(user: User, room: str, after_pos: int) -> list[dict[str, Any]]:
    socket = await user.connect()
    await socket.send("resume", positions={room: after_pos}, ref="r")
    await socket.expect("resumed", ref="r")
    return [frame for frame in socket.frames if frame.get("replay")]


async def test_a_replay_has_the_latest_state_once_and_without_changes(scene: Scene) -> None:
    for emoji in (THUMB, HEART, PARTY):
        await scene.react(scene.member, emoji)
    await scene.react(scene.member, HEART, "DELETE")
    # Nobody was connected, so the first replay comes from the database, and the second from the gateway.
    for _ in range(2):
        [frame] = await replayed(scene.admin, scene.room, 3)
        assert (frame["type"], frame["message_id"]) == ("message.reactions", scene.message)
        assert [row["emoji"] for row in frame["counts"]] == [THUMB, PARTY]
        assert "changes" not in frame


async def test_who_was_away_in_between_gets_nothing_of_a_message_from_then(scene: Scene) -> None:
    path = f"/conversations/{scene.room}/participants"
    await scene.admin.call("DELETE", f"{path}/{scene.member.user_id}")
    hidden = (await scene.admin.post(f"/conversations/{scene.room}/messages", {"content": "hidden"})).body[
        "id"
    ]
    await scene.react(scene.admin, message=hidden)
    await scene.admin.post(path, {"user_ids": [scene.member.user_id]})
    assert (await scene.react(scene.member, message=hidden)).body["code"] == "not_found"
    assert not [f for f in await replayed(scene.member, scene.room, 3) if f["type"] == "message.reactions"]


async def storm(users: list[User], scene: Scene) -> None:
    replies = await asyncio.gather(*(scene.react(user, emoji) for user in users for emoji in (THUMB, HEART)))
    assert {reply.status for reply in replies} == {200}


async def test_a_storm_is_few_frames_and_counts_every_reaction(scene: Scene, crowd: Crowd) -> None:
    users = crowd.newcomers(100)
    path = f"/conversations/{scene.room}/participants"
    await scene.admin.post(path, {"user_ids": [user.user_id for user in users]})
    socket = await scene.admin.connect()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await storm(users, scene)
    took = loop.time() - begun
    await eventually(lambda: has_counts(socket, 100))
    events = socket.collected("message.reactions")
    # One at once, then one in 0.3 s.
    assert len(events) <= 2 + took / 0.3
    assert [event["pos"] for event in events] == list(range(events[0]["pos"], events[0]["pos"] + len(events)))
    assert all(len(event["changes"]) <= 50 for event in events)
    assert [row["count"] for row in await scene.reactions(scene.admin)] == [100, 100]


async def has_counts(socket: Socket, number: int) -> bool:
    events = socket.collected("message.reactions")
    return bool(events) and [row["count"] for row in events[-1]["counts"]] == [number, number]
