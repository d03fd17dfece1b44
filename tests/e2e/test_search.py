"""Search from a client's side: at once, only what history shows, in pages."""

from __future__ import annotations

import asyncio
from itertools import product
from typing import Any

import pytest

from tests.client import Reply, User
from tests.e2e.crowd import Crowd
from tests.e2e.requesting import OPERATIONS, over_rest
from tests.e2e.uploads import PICTURE, upload

SEARCH = OPERATIONS["search.messages"]
WORD = "회의록"


async def send(user: User, room: str, content: str, **fields: Any) -> str:
    reply = await user.post(f"/conversations/{room}/messages", {"content": content, **fields})
    assert reply.status == 201, reply
    id_: str = reply.body["id"]
    return id_


async def search(user: User, q: str, **query: Any) -> Any:
    """One page; waits when the user has searched too often."""
    got = await over_rest(user, SEARCH, {"q": q, **query})
    assert got.code == "ok", got
    return dict(got.answer[2])


async def found(user: User, q: str, **query: Any) -> list[str]:
    """The ids on all pages."""
    page = await search(user, q, **query)
    ids = [item["message"]["id"] for item in page["items"]]
    while page["has_more"]:
        page = await search(user, q, **query, cursor=page["next_cursor"])
        ids += [item["message"]["id"] for item in page["items"]]
    assert page["next_cursor"] is None
    return ids


async def test_a_message_is_found_as_soon_as_it_is_sent_and_as_it_is_now(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    first = await send(one, room, "😀 오늘 회의록 보냅니다")
    page = await search(two, "ㅎㅇ 보냅")
    [hit] = page["items"]
    history = (await two.get(f"/conversations/{room}/messages")).body
    assert (hit["message"], hit["conversation_id"]) == (history["items"][0], room)
    assert hit["highlights"] == [[6, 2], [10, 2]]
    assert page["users"] == history["users"]
    assert "partial" not in page
    second = await send(two, room, "회의록 수정")
    assert await found(one, WORD) == [second, first]
    await one.call("PUT", f"/messages/{first}", body={"content": "취소"})
    assert await found(two, WORD) == [second]
    assert await found(two, "취소") == [first]
    await two.call("DELETE", f"/messages/{second}")
    assert await found(one, WORD) == []


async def test_filters_and_pages(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    rooms = [await one.create_group(two.user_id) for _ in range(3)]
    ids = [await send(user, room, f"{WORD} {n}") for n, (room, user) in enumerate(product(rooms, (one, two)))]
    file = await upload(one, PICTURE)
    with_file = await send(one, rooms[0], "see", attachments=[file])
    with_link = await send(one, rooms[0], f"{WORD} https://example.org/a")
    name = (await one.get(f"/conversations/{rooms[0]}/messages")).body["items"][1]["attachments"][0]["name"]
    newest_first = [with_link, *ids[::-1]]
    for limit in (1, 3, 100):
        assert await found(one, WORD, limit=limit) == newest_first
    assert await found(one, WORD, conversation_id=rooms[1]) == ids[3:1:-1]
    assert await found(one, WORD, **{"from": two.user_id}) == [ids[5], ids[3], ids[1]]
    assert await found(one, WORD, has="link") == [with_link]
    assert await found(one, name, has="file") == [with_file]
    assert (await search(one, name))["items"][0]["highlights"] == []
    history = (await one.get(f"/conversations/{rooms[1]}/messages")).body["items"]
    times = [item["created_at"] for item in history]
    assert await found(one, WORD, before=times[0], after=times[1], conversation_id=rooms[1]) == []
    assert await found(one, WORD, after=times[1]) == [with_link, ids[5], ids[4], ids[3]]
    assert await found(one, WORD, before=times[0]) == ids[2::-1]


async def remove(admin: User, room: str, member: User) -> None:
    reply = await admin.call("DELETE", f"/conversations/{room}/participants/{member.user_id}")
    assert reply.status == 204, reply


async def add(admin: User, room: str, member: User) -> None:
    body = {"user_ids": [member.user_id], "role": "member"}
    assert (await admin.post(f"/conversations/{room}/participants", body)).status == 200


async def test_who_was_away_or_never_there_finds_nothing_that_history_hides(crowd: Crowd) -> None:
    admin, member, stranger = crowd.newcomers(3)
    room = await admin.create_group(member.user_id)
    before, own = await send(admin, room, WORD), await send(member, room, f"{WORD} own")
    await remove(admin, room, member)
    away = await send(admin, room, f"{WORD} away", attachments=[await upload(admin, PICTURE)])
    link = await send(admin, room, f"{WORD} https://example.org")
    filters: list[dict[str, Any]] = [
        *({}, {"from": admin.user_id}, {"has": "file"}, {"has": "link"}, {"before": "2100-01-01T00:00:00Z"}),
        {"after": "2000-01-01T00:00:00Z"},
    ]
    for user, fields in product((member, stranger), filters):
        assert await found(user, WORD, **fields) == [], (user.user_id, fields)
    for user, code in ((member, "not_member"), (stranger, "not_found")):
        got = await over_rest(user, SEARCH, {"q": WORD, "conversation_id": room})
        assert got.code == code
    await add(admin, room, member)
    after = await send(admin, room, f"{WORD} after")
    assert await found(member, WORD) == [after, own, before]
    assert await found(member, WORD, limit=1, conversation_id=room) == [after, own, before]
    assert await found(member, WORD, has="file") == await found(member, WORD, has="link") == []
    assert await found(admin, WORD) == [after, link, away, own, before]


async def test_a_cursor_of_another_search_or_user_is_refused(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    for number in range(3):
        await send(one, room, f"{WORD} {number}")
    cursor = (await search(one, WORD, limit=1))["next_cursor"]
    for user, fields in ((two, {"q": WORD}), (one, {"q": "회의"}), (one, {"q": WORD, "has": "link"})):
        got = await over_rest(user, SEARCH, {**fields, "limit": 1, "cursor": cursor})
        assert (got.code, got.invalid_fields) == ("invalid_frame", ("cursor",))
    # The limit may change.
    assert len((await search(one, WORD, limit=50, cursor=cursor))["items"]) == 2


@pytest.mark.parametrize("q", ["", "x", " x ", "\u200bx"])
async def test_a_query_has_two_characters_at_least(crowd: Crowd, q: str) -> None:
    assert (await over_rest(crowd.newcomer(), SEARCH, {"q": q})).code == "query_too_short"


async def test_words_of_one_character_are_found_too(crowd: Crowd) -> None:
    user = crowd.newcomer()
    room = await user.create_group()
    first = await send(user, room, "가 나 다")
    await send(user, room, "가 다")
    assert await found(user, "가 ㄴ") == [first]


async def test_a_user_searches_five_times_a_second(crowd: Crowd) -> None:
    user, other = crowd.newcomers(2)
    replies: list[Reply] = await asyncio.gather(*(user.get("/search/messages", q=WORD) for _ in range(40)))
    refused = [reply for reply in replies if reply.status != 200]
    assert {(reply.status, reply.body["code"]) for reply in refused} == {(429, "rate_limited")}
    assert all(int(reply.headers["Retry-After"]) > 0 for reply in refused)
    assert len(refused) >= 10
    assert (await other.get("/search/messages", q=WORD)).status == 200
