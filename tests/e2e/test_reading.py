"""Read positions: forward only, the same on every device, sent to the others."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.client import User
from tests.e2e.crowd import Crowd
from tests.e2e.test_changing import say


async def read_up_to(user: User, room: str, **where: Any) -> Any:
    return await user.call("PUT", f"/conversations/{room}/read", body=where)


def position(read_seq: int, unread: int, unread_mentions: int = 0) -> dict[str, int]:
    """Returns the answer to a change of a read position."""
    return {"read_seq": read_seq, "unread": unread, "unread_mentions": unread_mentions}


async def test_reading_is_confirmed_told_and_counted(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    messages = [await say(one, room, str(n)) for n in range(3)]
    ours, phone, laptop = await one.connect(), await two.connect(), await two.connect()
    await phone.send("read.receipt", message_id=messages[1]["id"])
    confirmed = await phone.expect("read.confirmed", message_id=messages[1]["id"])
    assert (confirmed["conversation_id"], confirmed["read_seq"], confirmed["unread"]) == (room, 2, 1)
    told = await ours.expect("message.read", conversation_id=room, user_id=two.user_id)
    assert (told["message_id"], told["read_seq"]) == (messages[1]["id"], 2)
    assert "read_at" in told
    for socket in (phone, laptop):
        numbers = await socket.expect("unread.updated", conversation_id=room)
        assert (numbers["unread"], numbers["read_seq"], numbers["last_seq"]) == (1, 2, 3)
    assert not ours.collected("unread.updated")
    [row] = (await two.get("/conversations")).body["items"]
    assert (row["unread"], row["read_seq"]) == (1, 2)


async def test_a_position_never_moves_back_and_an_old_one_is_no_news(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    messages = [await say(one, room, str(n)) for n in range(3)]
    ours, theirs = await one.connect(), await two.connect()
    for message in (messages[2], messages[0]):
        answer = await theirs.request("message.read", message_id=message["id"])
        assert (answer["type"], answer["read_seq"], answer["unread"]) == ("read.confirmed", 3, 0)
    await ours.expect("message.read", read_seq=3)
    await ours.request("ping")
    assert len(ours.collected("message.read")) == 1
    # Several devices at once, in any order: the highest position wins.
    fresh = [await say(one, room, str(n)) for n in range(10)]
    await asyncio.gather(*(theirs.request("message.read", message_id=m["id"]) for m in reversed(fresh)))
    assert (await read_up_to(two, room, seq=0)).body == position(13, 0)


async def test_a_seq_is_clamped_to_the_last_and_bad_ones_are_refused(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    assert (await read_up_to(two, room, seq=10**6)).body == position(0, 0)
    message = await say(one, room, "x")
    assert (await read_up_to(two, room, seq=10**6)).body == position(1, 0)
    assert (await read_up_to(two, room, message_id=message["id"])).body == position(1, 0)
    for bad in ({}, {"seq": -1}, {"seq": "1"}, {"seq": True}, {"seq": 1, "message_id": message["id"]}):
        assert (await read_up_to(two, room, **bad)).status == 422
    elsewhere = await two.create_group()
    assert (await read_up_to(two, elsewhere, message_id=message["id"])).status == 404


async def test_who_has_read_a_message(crowd: Crowd) -> None:
    sender, early, late, stranger = crowd.newcomers(4)
    room = await sender.create_group(early.user_id, late.user_id)
    first, second = await say(sender, room, "a"), await say(sender, room, "b")
    await read_up_to(early, room, seq=2)
    await read_up_to(late, room, seq=1)

    async def readers(user: User, message: dict[str, Any], query: str = "") -> Any:
        return await user.call("GET", f"/messages/{message['id']}/readers{query}")

    everybody = sorted([early.user_id, late.user_id])
    assert [row["user_id"] for row in (await readers(late, first)).body["items"]] == everybody
    assert [row["user_id"] for row in (await readers(sender, second)).body["items"]] == [early.user_id]
    page = (await readers(sender, first, "?limit=1")).body
    more = (await readers(sender, first, f"?cursor={page['next_cursor']}")).body
    assert [row["user_id"] for row in page["items"] + more["items"]] == everybody
    assert (await readers(stranger, first)).status == 404
    assert (await readers(sender, first, "?cursor=zzz")).status == 422
