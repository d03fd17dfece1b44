"""The SDK's client for bots, over a link that breaks."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from messenger_sdk import Client, MessengerError, Server, rest
from messenger_sdk.client import catch_up, client, event_queue
from tests.client import User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.faults.injection.proxy import Proxy
from tests.waiting import LIMIT_S, eventually, until


class Listener:
    """A client that keeps what it hears."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.frames: list[Any] = []

    async def listen(self) -> None:
        async for frame in self.client.events():
            self.frames.append(frame)

    def of_type(self, type_: str) -> list[Any]:
        return [frame for frame in self.frames if frame["type"] == type_]

    def durable(self) -> list[Any]:
        return [frame for frame in self.frames if "pos" in frame]

    def texts(self) -> list[str]:
        return [frame["data"]["content"] for frame in self.of_type("message.new")]

    async def hears(self, *texts: str) -> None:
        await until(lambda: len(self.texts()) >= len(texts))
        assert self.texts() == list(texts)


@asynccontextmanager
async def listener(url: str, user: User, **options: Any) -> AsyncIterator[Listener]:
    async with Client(url, lambda: user.token, **options) as sdk:
        listener = Listener(sdk)
        task = asyncio.create_task(listener.listen())
        try:
            yield listener
            await sdk.close()
            await task
        finally:
            task.cancel()


@pytest.fixture
async def link(stack: SharedStack) -> AsyncIterator[Proxy]:
    async with Proxy(int(stack.url.rsplit(":", 1)[1])) as proxy:
        yield proxy


def through(link: Proxy) -> str:
    return f"http://127.0.0.1:{link.port}"


def cut(link: Proxy) -> None:
    link.stop_traffic()
    for each in list(link.links):
        each.reset()


async def say(user: User, room: str, *texts: str) -> None:
    for text in texts:
        assert (await user.post(f"/conversations/{room}/messages", {"content": text})).status == 201


async def test_events_come_once_and_in_order_over_interruptions(
    stack: SharedStack, crowd: Crowd, link: Proxy
) -> None:
    one, two = crowd.newcomers(2)
    room = await two.create_group(one.user_id)
    await say(two, room, "before the start")
    async with listener(through(link), one) as heard:
        assert heard.client.user_id == one.user_id
        await say(two, room, "1", "2")
        await heard.hears("1", "2")
        cut(link)
        await say(two, room, "3", "4")
        other = await two.create_group(one.user_id)
        await say(two, other, "5")
        link.resume_traffic()
        await until(lambda: len(heard.texts()) == 5)
        assert sorted(heard.texts()) == ["1", "2", "3", "4", "5"]
        await say(two, room, "6")
        await say(two, other, "7")
        await until(lambda: len(heard.texts()) == 7)
        for id_, texts in ((room, ["1", "2", "3", "4", "6"]), (other, ["5", "7"])):
            frames = [f for f in heard.frames if f["type"] == "message.new" and f["conversation_id"] == id_]
            assert [frame["data"]["content"] for frame in frames] == texts


async def test_what_is_sent_is_stored_once_and_in_order_however_often_the_link_breaks(
    crowd: Crowd, link: Proxy
) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    async with listener(through(link), one) as heard:
        texts = [str(number) for number in range(60)]
        sends = [asyncio.create_task(heard.client.send(room, text)) for text in texts]
        for stored in (5, 20, 40):
            await until(lambda stored=stored: sum(send.done() for send in sends) >= stored)
            for each in list(link.links):
                each.break_next()
        messages = await asyncio.gather(*sends)
        assert [message["content"] for message in messages] == texts
        assert [message["seq"] for message in messages] == list(range(1, 61))
        await heard.hears(*texts)
    page = (await two.get(f"/conversations/{room}/messages", limit=100)).body
    assert [message["content"] for message in reversed(page["items"])] == texts


async def test_more_changes_than_a_replay_has_come_from_history_once_also_if_that_is_interrupted(
    crowd: Crowd, link: Proxy, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that reading takes many requests.
    monkeypatch.setattr(rest, "PAGE_ITEMS", 10)
    one, two = crowd.newcomers(2)
    room = await two.create_group(one.user_id)
    await say(two, room, "first")
    async with listener(through(link), one) as heard:
        await say(two, room, "heard")
        await heard.hears("heard")
        cut(link)
        texts = [str(number) for number in range(520)]
        for text in texts:
            await server.send_message(room, two.user_id, text)
        # A new conversation, with more messages than one request has.
        other = await two.create_group(one.user_id)
        for number in range(30):
            await server.send_message(other, two.user_id, f"new {number}")
        for at_least in (5, 20, 200):
            link.resume_traffic()
            await until(lambda at_least=at_least: len(heard.texts()) >= at_least)  # type: ignore[misc]
            cut(link)
        link.resume_traffic()
        await until(lambda: len(heard.texts()) >= 551)
        assert sorted(heard.texts()) == sorted(["heard", *texts, *(f"new {number}" for number in range(30))])
        assert [text for text in heard.texts() if text.isdecimal()] == texts
        assert any(frame["type"] == catch_up.GAP for frame in heard.frames)
        await say(two, room, "after")
        await until(lambda: heard.texts()[-1] == "after")
        assert len(heard.texts()) == 552


async def test_a_restarted_client_continues_at_its_positions(stack: SharedStack, crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await two.create_group(one.user_id)
    async with listener(stack.url, one) as heard:
        await say(two, room, "1")
        await heard.hears("1")
        positions = heard.client.positions
    await say(two, room, "2", "3")
    other = await two.create_group(one.user_id)
    await say(two, other, "4")
    async with listener(stack.url, one, positions=positions) as heard:
        await until(lambda: len(heard.texts()) == 3)
        assert sorted(heard.texts()) == ["2", "3", "4"]


async def test_a_slow_application_loses_no_durable_event(
    stack: SharedStack, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "EventQueue", lambda: event_queue.EventQueue(3))
    monkeypatch.setattr(catch_up, "CHECK_S", 0.05)
    one, two = crowd.newcomers(2)
    room = await two.create_group(one.user_id)
    texts = [str(number) for number in range(20)]
    async with asyncio.timeout(LIMIT_S), Client(stack.url, lambda: one.token) as sdk:
        await say(two, room, *texts)
        heard = []
        async for frame in sdk.events():
            if frame["type"] == "message.new":
                heard.append(frame["data"]["content"])
            # Its answer needs no room among the events that wait.
            if heard == texts[:2]:
                await sdk.send(room, "last")
            if heard[-1:] == ["last"]:
                break
    assert heard == [*texts, "last"]


async def test_the_token_is_asked_for_again_when_it_is_refused(stack: SharedStack, crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await two.create_group(one.user_id)
    given = iter([stack.token(one.user_id, -60), stack.token(one.user_id, 2), one.token])

    async def get_token() -> str:
        return next(given)

    async with asyncio.timeout(LIMIT_S), Client(stack.url, get_token) as sdk:
        await eventually(lambda: exhausted(given))
        assert (await sdk.send(room, "with the third"))["content"] == "with the third"


async def exhausted(tokens: Any) -> bool:
    return tokens.__length_hint__() == 0


async def test_a_user_who_is_refused_for_good_ends_the_client(stack: SharedStack, crowd: Crowd) -> None:
    one = crowd.newcomer()
    with pytest.raises(MessengerError, match="unauthorized"):
        async with asyncio.timeout(LIMIT_S), Client(stack.url, lambda: "no token"):
            pass
    async with asyncio.timeout(LIMIT_S), Client(stack.url, lambda: one.token) as sdk:
        sending = asyncio.create_task(sdk.send(str(secrets.token_hex(16)), "x"))
        with pytest.raises(MessengerError, match="invalid_conversation_id"):
            await sending


async def test_revoking_ends_the_client_and_what_it_was_sending(
    stack: SharedStack, crowd: Crowd, server: Server
) -> None:
    one = crowd.newcomer()
    async with asyncio.timeout(LIMIT_S), Client(stack.url, lambda: one.token) as sdk:
        await server.revoke_sessions(one.user_id)
        with pytest.raises(MessengerError, match="refused"):
            async for _ in sdk.events():
                pass
        with pytest.raises(MessengerError, match="refused"):
            await sdk.send("c", "never sent")


async def test_commands_and_requests_are_the_users(stack: SharedStack, crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await two.create_group(one.user_id)
    async with asyncio.timeout(LIMIT_S), Client(stack.url, lambda: one.token) as sdk:
        assert (await sdk.command("subscribe", conversation_id=room))["last_pos"] == 1
        with pytest.raises(MessengerError, match="not_found"):
            await sdk.command("subscribe", conversation_id="01890000-0000-7000-8000-000000000000")
        listed = await sdk.request("GET", "/conversations", query={"limit": "1"})
        assert [row["id"] for row in listed["items"]] == [room]


async def test_reactions_pins_and_edits_are_told_as_events_also_after_an_interruption(
    stack: SharedStack, crowd: Crowd, link: Proxy
) -> None:
    one, two = crowd.newcomers(2)
    room = await two.create_group(one.user_id)
    async with listener(through(link), one) as heard, Client(stack.url, lambda: two.token) as bot:
        message = await bot.send(room, "hello")
        counts = [{"emoji": "👀", "count": 1, "user_ids": [two.user_id]}]
        assert await bot.react(message["id"], "👀") == {"counts": counts, "mine": ["👀"]}
        assert (await bot.pin(message["id"]))["message_ids"] == [message["id"]]
        await until(lambda: bool(heard.of_type("conversation.pins")))
        assert [frame["counts"] for frame in heard.of_type("message.reactions")] == [counts]
        cut(link)
        await bot.react(message["id"], "✅")
        await bot.unreact(message["id"], "👀")
        await bot.unreact(message["id"], "👀")
        await bot.unpin(message["id"])
        edited = await bot.edit(message["id"], "good bye", expected_version=1)
        link.resume_traffic()
        await until(lambda: len(heard.durable()) == 6)
        reactions, pins, edit = heard.durable()[3:]
        assert [reactions["counts"][0]["emoji"], pins["message_ids"], edit["data"]] == ["✅", [], edited]
