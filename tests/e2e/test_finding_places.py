"""History around a message, and conversations by the words of their titles."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.client import User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd


async def fill(user: User, room: str, count: int) -> list[str]:
    """Sends messages; returns their ids, the oldest first."""
    path = f"/conversations/{room}/messages"
    return [(await user.post(path, {"content": f"number {n}"})).body["id"] for n in range(count)]


async def around(user: User, room: str, message: str, limit: int) -> Any:
    reply = await user.get(f"/conversations/{room}/messages", around=message, limit=limit)
    assert reply.status == 200, reply
    return reply.body


@pytest.mark.parametrize(
    ("which", "limit", "first", "last"),
    [
        *((5, 5, 7, 3), (5, 4, 6, 3), (5, 1, 5, 5), (5, 2, 5, 4), (5, 100, 9, 0)),
        # What one side lacks, the other side has.
        *((0, 4, 3, 0), (1, 5, 4, 0), (9, 4, 9, 6), (8, 6, 9, 4)),
    ],
)
async def test_a_page_around_a_message_has_both_sides(
    crowd: Crowd, which: int, limit: int, first: int, last: int
) -> None:
    user = crowd.newcomer()
    room = await user.create_group()
    ids = await fill(user, room, 10)
    page = await around(user, room, ids[which], limit)
    assert [item["id"] for item in page["items"]] == ids[last : first + 1][::-1]
    assert page["has_more"] is (last > 0)
    assert str(user.user_id) in page["users"]
    rest = []
    while page["has_more"]:
        page = (await user.get(f"/conversations/{room}/messages", cursor=page["next_cursor"], limit=3)).body
        rest += [item["id"] for item in page["items"]]
    assert rest == ids[:last][::-1]


async def test_a_deleted_message_has_a_place_and_one_that_is_not_seen_has_none(crowd: Crowd) -> None:
    admin, member, stranger = crowd.newcomers(3)
    room, other = await admin.create_group(member.user_id), await admin.create_group(member.user_id)
    ids, [elsewhere] = await fill(admin, room, 3), await fill(admin, other, 1)
    assert (await admin.call("DELETE", f"/messages/{ids[1]}")).status < 300
    assert [item["id"] for item in (await around(member, room, ids[1], 3))["items"]] == ids[::-1]
    path = f"/conversations/{room}/messages"
    for message in (elsewhere, str(uuid4())):
        assert (await member.get(path, around=message)).status == 404
    assert (await stranger.get(path, around=ids[0])).status == 404
    seat = f"/conversations/{room}/participants/{member.user_id}"
    assert (await admin.call("DELETE", seat)).status == 204
    assert (await member.get(path, around=ids[0])).body["code"] == "not_member"
    [missed] = await fill(admin, room, 1)
    back = {"user_ids": [member.user_id], "role": "member"}
    assert (await admin.post(f"/conversations/{room}/participants", back)).status < 300
    assert (await member.get(path, around=missed)).status == 404
    [last] = await fill(admin, room, 1)
    assert [item["id"] for item in (await around(member, room, last, 4))["items"]] == [last, *ids[::-1]]
    assert (await member.get(path, around=last, before_seq=2)).status == 422


async def named(crowd: Crowd, stack: SharedStack, name: str) -> User:
    """A newcomer whose token says their name."""
    user = crowd.newcomer()
    user.token = stack.token(user.user_id, name=name)
    assert (await user.get("/users/me")).body["name"] == name
    return user


async def titles(user: User, q: str, **query: Any) -> list[str]:
    reply = await user.get("/conversations", q=q, **query)
    assert reply.status == 200, reply
    return [item["title"] or item["participant_ids"] for item in reply.body["items"]]


async def test_conversations_are_found_by_all_words_of_their_title(crowd: Crowd) -> None:
    user, other = crowd.newcomers(2)
    for title in ("주간 회의", "Straßenfest 2026", "회의록 주간 모음", "ＡＢＣ club"):
        await user.create_group(other.user_id, title=title)
    await other.create_group(title="회의 of others")
    assert await titles(user, "회의") == ["회의록 주간 모음", "주간 회의"]
    assert await titles(user, "간 의록") == ["회의록 주간 모음"]
    assert await titles(user, "ㅎㅇ ㅈㄱ") == ["회의록 주간 모음", "주간 회의"]
    assert await titles(user, "STRASSE") == ["Straßenfest 2026"]
    assert await titles(user, "abc") == ["ＡＢＣ club"]
    assert await titles(user, "회의 nothing") == []
    assert await titles(crowd.newcomer(), "회의") == []
    page = (await user.get("/conversations", q="회의", limit=1)).body
    assert [item["title"] for item in page["items"]] == ["회의록 주간 모음"]
    assert await titles(user, "회의", limit=1, cursor=page["next_cursor"]) == ["주간 회의"]
    assert (await user.get("/conversations", q="회의", limit=2)).body["next_cursor"] is None


async def test_a_direct_conversation_is_found_by_the_name_of_the_other(
    crowd: Crowd, stack: SharedStack
) -> None:
    one, two = await named(crowd, stack, "김하늘"), await named(crowd, stack, "Ada Lovelace")
    body = {"type": "direct", "participant_ids": [two.user_id]}
    assert (await one.post("/conversations", body)).status == 201
    both: Any = [sorted((one.user_id, two.user_id))]
    assert (await titles(one, "love ada"), await titles(two, "ㄱㅎㄴ")) == (both, both)
    assert (await titles(one, "하늘"), await titles(two, "ada")) == ([], [])


@pytest.mark.parametrize("q", ["", "x", " x ", "\u200bx", "ㅋ"])
async def test_a_query_has_two_characters_at_least(crowd: Crowd, q: str) -> None:
    reply = await crowd.newcomer().get("/conversations", q=q)
    assert (reply.status, reply.body["code"]) == (422, "query_too_short")
