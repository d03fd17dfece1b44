"""What may be mentioned, and by whom: places that fit the text, all members, and the host's messages."""

from __future__ import annotations

from typing import Any

from tests.client import Reply
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.hosts import host_with, new_key
from tests.e2e.test_mentions import carried, edit, entity, mention, mentioning, send, unread


async def test_entities_must_fit_the_text(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    message, socket = await send(one, room), await one.connect()
    for bad in (
        [entity(two, 0, 1)],
        [entity(two, 2, 0)],
        [entity(two, 2, 3)],
        [entity(two, 4, 1)],
        [entity(two, 2, 2), entity(one, 3, 1)],
        [{**entity(two, 2, 2), "type": "link"}],
        [entity(two, 2, 1)] * 51,
    ):
        fields = {"content": "😀@2", "entities": bad}
        answer = await socket.request("message.send", conversation_id=room, **fields)
        assert (answer["code"], list(answer["details"])) == ("invalid_frame", ["entities"]), bad
        for reply in (
            await one.post(f"/conversations/{room}/messages", fields),
            await one.call("PUT", f"/messages/{message['id']}", body=fields),
        ):
            assert (reply.status, reply.body["code"]) == (422, "invalid_frame")
            assert list(reply.body["errors"]) == ["entities"]
    many = {"user_ids": list(range(1, 51))}
    reply = await one.post(
        f"/conversations/{room}/messages",
        {"content": "@2", "mentions": many, "entities": [entity(two, 0, 2)]},
    )
    assert list(reply.body["errors"]) == ["mentions"]


async def test_only_admins_mention_all_and_both_in_directs(crowd: Crowd) -> None:
    one, two, three = crowd.newcomers(3)
    room = await one.create_group(two.user_id, three.user_id)
    own = await send(two, room)
    everybody: dict[str, Any] = {"mentions": {"all": True}}
    for reply in (
        await two.post(f"/conversations/{room}/messages", {"content": "x", **everybody}),
        await edit(two, own, **everybody),
    ):
        assert (reply.status, reply.body["code"]) == (403, "mention_all_refused")
    message = await send(one, room, **everybody)
    assert carried(message) == ({"user_ids": [], "all": True}, None)
    assert [await unread(user, room) for user in (one, two, three)] == [(0, 0), (1, 1), (2, 1)]
    assert [await mentioning(user) for user in (one, two, three)] == [[], [message["id"]], [message["id"]]]
    # Named beside all, a user is mentioned once.
    await mention(one, room, two.user_id, all=True)
    assert await unread(two, room) == (2, 2)
    body = {"type": "direct", "participant_ids": [two.user_id]}
    direct = (await one.post("/conversations", body)).body["id"]
    for user in (one, two):
        await send(user, direct, **everybody)
    assert await unread(one, direct) == (1, 1)


async def test_a_crowd_is_not_mentioned_as_a_whole(crowd: Crowd) -> None:
    one = crowd.newcomer()
    room = await one.create_group(*range(10**9, 10**9 + 1_000))
    message = await send(one, room)
    everybody: dict[str, Any] = {"mentions": {"all": True}}
    path = f"/conversations/{room}/messages"
    for reply in (await one.post(path, {"content": "x", **everybody}), await edit(one, message, **everybody)):
        assert (reply.status, reply.body["code"]) == (403, "mention_all_refused")
    await one.call("DELETE", f"/conversations/{room}/participants/{10**9}")
    assert carried(await send(one, room, **everybody)) == ({"user_ids": [], "all": True}, None)
    assert (await edit(one, message, **everybody)).status == 200


async def test_a_host_mentions_as_a_user_or_as_the_system(crowd: Crowd, stack: SharedStack) -> None:
    one, two, stranger = crowd.newcomers(3)
    room = await one.create_group(two.user_id)
    path, users = f"/server/conversations/{room}/messages", {"user_ids": [two.user_id, stranger.user_id]}
    async with host_with(stack.url, new_key(stack.data_dir, "messages")) as host:

        async def post(**fields: Any) -> Reply:
            return await host.post(path, {"content": "@two", "entities": [entity(two, 0, 4)], **fields})

        for sender in ({"sender_id": one.user_id}, {"message_type": "system"}):
            sent = (await post(mentions={**users, "all": True}, **sender)).body
            assert carried(sent) == ({"user_ids": [two.user_id], "all": True}, [entity(two, 0, 4)])
            assert carried((await post(**sender)).body) == (
                {"user_ids": [two.user_id], "all": False},
                [entity(two, 0, 4)],
            )
        refused = await post(mentions={"all": True}, sender_id=two.user_id)
        assert (refused.status, refused.body["code"]) == (403, "mention_all_refused")
    assert await unread(two, room) == (4, 4)
    assert await unread(one, room) == (2, 1)
