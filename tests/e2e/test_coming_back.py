"""A client that was away is brought up to date, or told that it has to read the history."""

from __future__ import annotations

import asyncio
from itertools import cycle, islice
from typing import Any

import pytest

from tests.client import Socket, User
from tests.e2e.crowd import Crowd

# So many that none of them exceeds the rate limit.
SPEAKERS = 12


async def say(user: User, room: str, content: str) -> dict[str, Any]:
    reply = await user.post(f"/conversations/{room}/messages", {"content": content})
    assert reply.status == 201, reply
    message: dict[str, Any] = reply.body
    return message


async def come_back(socket: Socket, room: str, pos: int, operation: str) -> dict[str, Any]:
    """Returns the outcome, in the form of `resumed`."""
    if operation == "resume":
        answer = await socket.request("resume", positions={room: pos})
        assert answer["type"] == "resumed", answer
        outcome: dict[str, Any] = answer["conversations"][room]
        return outcome
    answer = await socket.request("subscribe", conversation_id=room, after_pos=pos)
    assert answer["type"] == "subscribed", answer
    return {"from": pos, "to": answer["last_pos"], "recovered": answer["recovered"]}


def replayed(socket: Socket, room: str) -> list[tuple[str, int]]:
    found = [f for f in socket.frames if f.get("replay") and f["conversation_id"] == room]
    answered = [number for number, frame in enumerate(socket.frames) if "ref" in frame]
    assert all(socket.frames.index(frame) < answered[-1] for frame in found)
    return [(frame["type"], frame["pos"]) for frame in found]


@pytest.mark.parametrize("operation", ["resume", "subscribe"])
@pytest.mark.parametrize("kept", [True, False], ids=["kept here", "asked for"])
async def test_what_was_missed_is_replayed_in_order(crowd: Crowd, operation: str, kept: bool) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    first = await say(one, room, "first")
    # A user who stays connected makes the worker keep events in its ring.
    watcher = await one.connect() if kept else None
    second = await say(one, room, "second")
    await say(one, room, "third")
    await one.call("PUT", f"/messages/{second['id']}", body={"content": "second, better"})
    await one.call("PUT", f"/messages/{first['id']}", body={"content": "first, better"})
    if watcher is not None:
        await watcher.expect("message.edited", pos=6)
    theirs = await two.connect()
    outcome = await come_back(theirs, room, 2, operation)
    assert outcome == {"from": 2, "to": 6, "recovered": True}
    assert replayed(theirs, room) == [("message.new", 4), ("message.new", 5), ("message.edited", 6)]
    await say(one, room, "live")
    live = await theirs.expect("message.new", pos=7)
    assert "replay" not in live


@pytest.mark.parametrize("operation", ["resume", "subscribe"])
async def test_who_missed_nothing_gets_nothing(crowd: Crowd, operation: str) -> None:
    one = crowd.newcomer()
    room = await one.create_group()
    await say(one, room, "hi")
    ours = await one.connect()
    assert await come_back(ours, room, 2, operation) == {"from": 2, "to": 2, "recovered": True}
    assert replayed(ours, room) == []


@pytest.mark.parametrize("operation", ["resume", "subscribe"])
async def test_a_position_that_does_not_exist_yet_is_not_recovered(crowd: Crowd, operation: str) -> None:
    one = crowd.newcomer()
    room = await one.create_group()
    ours = await one.connect()
    assert await come_back(ours, room, 99, operation) == {"from": 99, "to": 1, "recovered": False}
    await say(one, room, "hi")
    await ours.expect("message.new", pos=2)


@pytest.mark.parametrize("operation", ["resume", "subscribe"])
async def test_more_than_the_budget_is_told_and_not_replayed(crowd: Crowd, operation: str) -> None:
    one, *others = crowd.newcomers(SPEAKERS)
    room = await one.create_group(*(other.user_id for other in others))
    speakers = islice(cycle((one, *others)), 501)
    await asyncio.gather(*(say(speaker, room, "x") for speaker in speakers))
    ours = await one.connect()
    assert await come_back(ours, room, 1, operation) == {"from": 1, "to": 502, "recovered": False}
    assert replayed(ours, room) == []
    assert await come_back(ours, room, 2, operation) == {"from": 2, "to": 502, "recovered": True}
    assert len(replayed(ours, room)) == 500


async def test_foreign_conversations_are_left_out(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    mine, foreign = await one.create_group(), await two.create_group()
    ours = await one.connect()
    answer = await ours.request("resume", positions={mine: 1, foreign: 0})
    assert list(answer["conversations"]) == [mine]


@pytest.mark.parametrize(
    "positions", [None, [], {"x": 1}, {"5f0c3c1e-0000-7000-8000-000000000000": -1}, {"": "a"}]
)
async def test_bad_positions_are_refused(crowd: Crowd, positions: Any) -> None:
    ours = await crowd.newcomer().connect()
    answer = await ours.request("resume", positions=positions)
    assert (answer["code"], list(answer["details"])) == ("invalid_frame", ["positions"])


async def test_who_was_away_by_removal_gets_nothing_of_that_time(crowd: Crowd) -> None:
    admin, goer = crowd.newcomers(2)
    room = await admin.create_group(goer.user_id)
    watcher = await admin.connect()
    await say(admin, room, "before")
    await admin.call("DELETE", f"/conversations/{room}/participants/{goer.user_id}")
    await say(admin, room, "between")
    await admin.post(f"/conversations/{room}/participants", {"user_ids": [goer.user_id]})
    await say(admin, room, "after")
    await watcher.expect("message.new", pos=6)
    theirs = await goer.connect()
    assert await come_back(theirs, room, 1, "resume") == {"from": 1, "to": 6, "recovered": True}
    assert replayed(theirs, room) == [("message.new", 2), ("participant.added", 5), ("message.new", 6)]


async def test_under_a_stream_of_messages_nothing_is_lost_doubled_or_out_of_order(crowd: Crowd) -> None:
    two, *speakers = crowd.newcomers(SPEAKERS)
    room = await two.create_group(*(speaker.user_id for speaker in speakers))
    theirs = await two.connect()

    async def talk() -> None:
        for number, speaker in enumerate(islice(cycle(speakers), 120)):
            await say(speaker, room, str(number))

    talking = asyncio.create_task(talk())
    position, seen = 1, {1}
    while not talking.done():
        await theirs.close()
        theirs = await two.connect()
        outcome = await come_back(theirs, room, position, "resume")
        assert outcome["recovered"]
        # Events that came live before the replay may come again in it, or be ahead of it.
        await theirs.request("ping")
        came = [frame["pos"] for frame in theirs.frames if frame.get("conversation_id") == room]
        position = max(outcome["to"], *came) if came else outcome["to"]
        seen.update(came)
        assert seen == set(range(1, position + 1))
    await talking
    await theirs.close()
    theirs = await two.connect()
    await come_back(theirs, room, position, "resume")
    seen.update(pos for _, pos in replayed(theirs, room))
    assert seen == set(range(1, 122))
