"""Mentions: whom a message mentions, who is told, and what counts as unread."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client import Reply, User
from tests.e2e.crowd import Crowd
from tests.e2e.test_reading import position


async def send(user: User, room: str, content: str = "x", **fields: Any) -> dict[str, Any]:
    reply = await user.post(f"/conversations/{room}/messages", {"content": content, **fields})
    assert reply.status == 201, reply
    message: dict[str, Any] = reply.body
    return message


async def mention(user: User, room: str, *user_ids: int, **fields: Any) -> dict[str, Any]:
    return await send(user, room, mentions={"user_ids": list(user_ids), **fields})


async def edit(user: User, message: dict[str, Any], content: str = "new", **fields: Any) -> Reply:
    return await user.call("PUT", f"/messages/{message['id']}", body={"content": content, **fields})


async def put_read(user: User, room: str, **body: Any) -> Any:
    return (await user.call("PUT", f"/conversations/{room}/read", body=body)).body


async def unread(user: User, room: str) -> tuple[int, int]:
    """Returns the unread messages and mentions: the same in the list and in /sync."""
    [row] = [row for row in (await user.get("/conversations")).body["items"] if row["id"] == room]
    [synced] = [row for row in (await user.get("/sync")).body["items"] if row["conversation_id"] == room]
    counts: tuple[int, int] = row["unread"], row["unread_mentions"]
    assert counts == (synced["unread"], synced["unread_mentions"])
    return counts


async def mentioning(user: User, **query: Any) -> list[str]:
    return [message["id"] for message in (await user.get("/mentions", **query)).body["items"]]


def entity(user: User, offset: int, length: int) -> dict[str, Any]:
    return {"type": "mention", "user_id": user.user_id, "offset": offset, "length": length}


def carried(message: dict[str, Any]) -> tuple[Any, Any]:
    return message.get("mentions"), message.get("entities")


async def test_the_effective_list_is_in_every_answer_and_frame(crowd: Crowd) -> None:
    one, two, three, stranger = crowd.newcomers(4)
    room = await one.create_group(two.user_id, three.user_id)
    sender, receiver = await one.connect(), await two.connect()
    places = [entity(three, 3, 6), entity(stranger, 10, 1), entity(two, 12, 4)]
    wanted = {"user_ids": [two.user_id, stranger.user_id, two.user_id]}
    command = {
        "conversation_id": room,
        "content": "😀 @three x @two",
        "client_message_id": "c",
        "mentions": wanted,
        "entities": places,
    }
    sent = await sender.request("message.send", **command)
    expected = ({"user_ids": [two.user_id, three.user_id], "all": False}, [places[0], places[2]])
    assert carried(sent["data"]) == expected
    again = await sender.request("message.send", **command)
    assert (again["duplicate"], carried(again["data"])) == (True, expected)
    live = await receiver.expect("message.new")
    assert carried(live["data"]) == expected
    history = (await three.get(f"/conversations/{room}/messages")).body
    assert carried(history["items"][0]) == expected
    assert set(history["users"]) == {str(user.user_id) for user in (one, two, three)}
    [row] = (await two.get("/conversations")).body["items"]
    assert carried(row["last_message"]) == expected
    page = (await two.get("/mentions")).body
    assert (page["items"], page["next_cursor"]) == (history["items"], None)
    assert set(page["users"]) == set(history["users"])
    replayed = await receiver.request("subscribe", conversation_id=room, after_pos=1)
    assert replayed["recovered"]
    assert carried((await receiver.expect("message.new", replay=True))["data"]) == expected


@pytest.mark.parametrize("fields", [{}, {"mentions": None, "entities": None}, {"mentions": {}}])
async def test_a_message_that_mentions_nobody_has_no_fields_for_it(crowd: Crowd, fields: Any) -> None:
    one, two, stranger = crowd.newcomers(3)
    room = await one.create_group(two.user_id)
    assert carried(await send(one, room, **fields)) == (None, None)
    assert carried(await mention(one, room, stranger.user_id)) == (None, None)
    # One mentions oneself, and has no mention to read.
    assert carried(await mention(two, room, two.user_id)) == ({"user_ids": [two.user_id], "all": False}, None)
    assert await mentioning(two) == []
    assert (await put_read(two, room, mark_unread_from=1))["unread_mentions"] == 0


async def test_what_is_read_deleted_or_edited_away_counts_no_more(crowd: Crowd) -> None:
    one, two, three = crowd.newcomers(3)
    room = await one.create_group(two.user_id, three.user_id)
    messages = [await mention(one, room, two.user_id) for _ in range(4)]
    assert await unread(two, room) == (4, 4)
    await one.call("DELETE", f"/messages/{messages[3]['id']}")
    assert await unread(two, room) == (3, 3)
    assert carried((await edit(one, messages[2])).body) == (None, None)
    assert await unread(two, room) == (3, 2)
    assert await mentioning(two) == [messages[1]["id"], messages[0]["id"]]
    device = await two.connect()
    assert (await put_read(two, room, seq=1))["unread_mentions"] == 1
    told = await device.expect("unread.updated", conversation_id=room)
    assert (told["unread"], told["unread_mentions"]) == (2, 1)
    answer = await device.request("message.read", message_id=messages[1]["id"])
    assert (answer["unread"], answer["unread_mentions"]) == (1, 0)
    assert (await put_read(two, room, mark_unread_from=1))["unread_mentions"] == 2
    assert await unread(two, room) == (3, 2)
    assert await unread(three, room) == (3, 0)


async def test_an_edit_tells_only_those_whom_it_adds(crowd: Crowd) -> None:
    one, two, three, four = crowd.newcomers(4)
    room = await one.create_group(two.user_id, three.user_id, four.user_id)
    message = await mention(one, room, two.user_id, one.user_id)
    sockets = {user: await user.connect() for user in (one, two, three, four)}

    async def told(*wanted: User) -> dict[User, tuple[int, int]]:
        """Returns the counts that these users were told since the last time; nobody else was told any."""
        found = {}
        for user, socket in sockets.items():
            if user in wanted:
                frame = await socket.expect("unread.updated", conversation_id=room)
                found[user] = frame["unread"], frame["unread_mentions"]
            seen[user] += user in wanted
            await socket.request("ping")
            assert len(socket.collected("unread.updated")) == seen[user], user.user_id
        return found

    seen = dict.fromkeys(sockets, 0)
    listed = {"user_ids": [user.user_id for user in (one, two, three)]}
    reply = await edit(one, message, mentions=listed)
    assert carried(reply.body) == ({**listed, "all": False}, None)
    edited = await sockets[four].expect("message.edited")
    assert carried(edited["data"]) == carried(reply.body)
    assert await told(three) == {three: (1, 1)}
    assert await unread(three, room) == (1, 1)
    # The same again is a repeat, and the same text with other mentions isn't.
    assert (await edit(one, message, mentions=listed)).body["version"] == 2
    assert (await edit(one, message, mentions={"all": True})).body["version"] == 3
    assert await told(four) == {four: (1, 1)}
    assert (await edit(one, message, mentions={"user_ids": [four.user_id]})).body["version"] == 4
    assert await told() == {}
    assert [await unread(user, room) for user in (two, three, four)] == [(1, 0), (1, 0), (1, 1)]


async def test_leaving_ends_mentions_and_coming_back_begins_anew(crowd: Crowd) -> None:
    admin, goer = crowd.newcomers(2)
    room = await admin.create_group(goer.user_id)
    path = f"/conversations/{room}/participants"
    before = await mention(admin, room, goer.user_id)
    await admin.call("DELETE", f"{path}/{goer.user_id}")
    assert await mentioning(goer) == []
    away = await mention(admin, room, goer.user_id, all=True)
    assert carried(away) == ({"user_ids": [], "all": True}, None)
    await admin.post(path, {"user_ids": [goer.user_id]})
    assert await unread(goer, room) == (0, 0)
    # It names them now, and is still a message that they may not read.
    await edit(admin, away, mentions={"user_ids": [goer.user_id]})
    after = await mention(admin, room, goer.user_id)
    assert await unread(goer, room) == (1, 1)
    assert await mentioning(goer) == [after["id"], before["id"]]
    assert await put_read(goer, room, mark_unread_from=1) == position(2, 2, 2)


async def test_all_are_those_who_were_members_then(crowd: Crowd) -> None:
    admin, late = crowd.newcomers(2)
    room = await admin.create_group()
    await mention(admin, room, all=True)
    await admin.post(f"/conversations/{room}/participants", {"user_ids": [late.user_id]})
    second = await mention(admin, room, all=True)
    assert await mentioning(late) == [second["id"]]
    assert await put_read(late, room, mark_unread_from=1) == position(1, 2, 1)


async def test_the_list_comes_in_pages_across_conversations(crowd: Crowd) -> None:
    one, two, stranger = crowd.newcomers(3)
    rooms = [await one.create_group(two.user_id, title=title) for title in "ab"]
    sent = []
    for number in range(6):
        mentions = {"all": True} if number % 3 else {"user_ids": [two.user_id]}
        sent.append((await send(one, rooms[number % 2], mentions=mentions))["id"])
    pages: list[list[str]] = []
    cursors: list[dict[str, str]] = [{}]
    for cursor in cursors:
        page = (await two.get("/mentions", limit=2, **cursor)).body
        pages.append([message["id"] for message in page["items"]])
        cursors += [{"cursor": page["next_cursor"]}] if page["next_cursor"] else []
    assert pages == [[sent[5], sent[4]], [sent[3], sent[2]], [sent[1], sent[0]]]
    assert await mentioning(stranger) == []


async def test_what_notifies_is_a_setting_of_each_member(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    path, device = f"/conversations/{room}/settings", await one.connect()
    assert (await one.call("PUT", path, body={"muted": True})).body["notify"] == "all"
    for notify in ("mentions", "none", "all"):
        settings = (await one.call("PUT", path, body={"notify": notify})).body
        assert (settings["notify"], settings["muted"]) == (notify, True)
        await device.expect("settings.updated", conversation_id=room, data=settings)
        [row] = (await one.get("/conversations")).body["items"]
        [synced] = (await one.get("/sync")).body["items"]
        assert [(found["notify"], found["muted"]) for found in (row, synced)] == [(notify, True)] * 2
        # It changes nothing of what is unread.
        await mention(two, room, one.user_id)
    assert await unread(one, room) == (3, 3)
    assert (await two.get(path)).body["notify"] == "all"
