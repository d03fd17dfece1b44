"""Conversations over REST: creating them, the one direct conversation of two users, and the list with its
pages.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.client import User
from tests.e2e.crowd import Crowd


async def listed(user: User, **query: Any) -> list[dict[str, Any]]:
    """Returns all of a user's conversations, page by page."""
    items: list[dict[str, Any]] = []
    while True:
        reply = await user.get("/conversations", **query)
        assert reply.status == 200, reply
        items += reply.body["items"]
        if reply.body["next_cursor"] is None:
            return items
        query["cursor"] = reply.body["next_cursor"]


async def test_a_new_group_is_told_to_all_its_members_and_shows_in_their_lists(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    sockets = [await one.connect(), await two.connect(), await two.connect()]
    ids = [two.user_id, two.user_id, one.user_id]
    reply = await one.post("/conversations", {"type": "group", "title": "  A title ", "participant_ids": ids})
    assert reply.status == 201
    room = reply.body["id"]
    expected = {"id": room, "type": "group", "title": "  A title ", "created_by": one.user_id}
    numbers = {"last_seq": 0, "last_pos": 1, "participants_count": 2}
    assert (expected | numbers).items() <= reply.body.items()
    roles = {row["user_id"]: row["role"] for row in reply.body["participants"]}
    assert roles == {one.user_id: "admin", two.user_id: "member"}
    for socket in sockets:
        created = await socket.expect("conversation.created", conversation_id=room)
        assert (created["pos"], created["data"]["id"]) == (1, room)
        assert len(socket.collected("conversation.created")) == 1
    standing = {"last_message": None, "read_seq": 0, "marked_unread_from": None, "muted": False}
    standing |= {"unread": 0, "unread_mentions": 0, "notify": "all"}
    row = {**expected, **numbers, **standing}
    for user in (one, two):
        [found] = await listed(user)
        assert found == {**row, "created_at": reply.body["created_at"], "participant_ids": None}


async def test_two_people_have_one_direct_conversation_whoever_asks(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    first = await one.post("/conversations", {"type": "direct", "participant_ids": [two.user_id]})
    again = await one.post(
        "/conversations", {"type": "direct", "participant_ids": [two.user_id, one.user_id]}
    )
    back = await two.post("/conversations", {"type": "direct", "participant_ids": [one.user_id]})
    assert (first.status, again.status, back.status) == (201, 200, 200)
    assert first.body["id"] == again.body["id"] == back.body["id"]
    assert {row["role"] for row in first.body["participants"]} == {"member"}


async def test_both_asking_at_once_get_the_one_direct(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    asks = [
        user.post("/conversations", {"type": "direct", "participant_ids": [other.user_id]})
        for user, other in [(one, two), (two, one)] * 5
    ]
    replies = await asyncio.gather(*asks)
    assert sorted(reply.status for reply in replies) == [200] * 9 + [201]
    assert len({reply.body["id"] for reply in replies}) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "type"),
        ({"type": "club", "title": "x"}, "type"),
        ({"type": "group"}, "title"),
        ({"type": "group", "title": ""}, "title"),
        ({"type": "group", "title": "x" * 256}, "title"),
        ({"type": "group", "title": "a\0b"}, "_"),
        ({"type": "group", "title": "x", "participant_ids": 5}, "participant_ids"),
        ({"type": "group", "title": "x", "participant_ids": ["5"]}, "participant_ids"),
        ({"type": "group", "title": "x", "participant_ids": [0]}, "participant_ids"),
        ({"type": "group", "title": "x", "participant_ids": [2**53]}, "participant_ids"),
        ({"type": "group", "title": "x", "participant_ids": [True]}, "participant_ids"),
        ({"type": "group", "title": "x", "participant_ids": list(range(1, 1_003))}, "participant_ids"),
        ({"type": "direct", "participant_ids": []}, "participant_ids"),
        ({"type": "direct", "participant_ids": [1, 2]}, "participant_ids"),
        ({"type": "direct", "participant_ids": [1], "title": "x"}, "title"),
    ],
)
async def test_a_bad_field_is_told_by_its_name(crowd: Crowd, body: dict[str, Any], field: str) -> None:
    reply = await crowd.newcomer().post("/conversations", body)
    assert (reply.status, reply.body["code"]) == (422, "invalid_frame")
    assert list(reply.body["errors"]) == [field]


async def test_a_thousand_participants_are_allowed_and_the_first_hundred_shown(crowd: Crowd) -> None:
    user = crowd.newcomer()
    first = 2**52 + 1
    ids = list(range(first, first + 1_000))
    body = {"type": "announcement", "title": "x" * 255, "participant_ids": ids}
    reply = await user.post("/conversations", body)
    assert (reply.status, reply.body["participants_count"]) == (201, 1_001)
    shown = (await user.get(f"/conversations/{reply.body['id']}")).body["participants"]
    assert len(shown) == 100


async def test_the_list_has_the_newest_activity_first_and_the_last_message(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    rooms = [await one.create_group(two.user_id, title=str(n)) for n in range(3)]
    assert [row["id"] for row in await listed(one)] == rooms[::-1]
    sent = await two.post(f"/conversations/{rooms[0]}/messages", {"content": "up"})
    rows = await listed(one)
    assert [row["id"] for row in rows] == [rooms[0], rooms[2], rooms[1]]
    assert rows[0]["last_message"] == sent.body
    assert (rows[0]["unread"], rows[0]["read_seq"], rows[0]["last_seq"]) == (1, 0, 1)
    own = (await listed(two))[0]
    assert (own["unread"], own["read_seq"], own["last_seq"]) == (0, 1, 1)


async def test_the_lists_pages_join_without_repeats_or_holes(crowd: Crowd) -> None:
    one = crowd.newcomer()
    rooms = await asyncio.gather(*(one.create_group(title=str(n)) for n in range(7)))
    whole = [row["id"] for row in await listed(one)]
    assert sorted(whole) == sorted(rooms)
    for limit in (1, 2, 3, 7, 100):
        assert [row["id"] for row in await listed(one, limit=limit)] == whole
    assert len((await one.get("/conversations", limit=2)).body["items"]) == 2


async def test_activity_between_two_pages_hides_nobody(crowd: Crowd) -> None:
    one = crowd.newcomer()
    rooms = [await one.create_group(title=str(n)) for n in range(6)]
    page = (await one.get("/conversations", limit=2)).body
    assert [row["id"] for row in page["items"]] == [rooms[5], rooms[4]]
    await one.post(f"/conversations/{rooms[5]}/messages", {"content": "again"})
    rest = await listed(one, limit=2, cursor=page["next_cursor"])
    assert [row["id"] for row in rest] == [rooms[3], rooms[2], rooms[1], rooms[0]]
