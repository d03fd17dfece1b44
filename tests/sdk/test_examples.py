"""The example bots run and do what they say."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from messenger_sdk import Client, Mention, compose
from messenger_sdk.models import Message
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.waiting import eventually

EXAMPLES = Path(__file__).parents[2] / "shared/sdk/examples"


@asynccontextmanager
async def running_example(name: str, stack: SharedStack, token: str) -> AsyncIterator[None]:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    task = asyncio.create_task(module.main(stack.url, token))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Room:
    """A conversation of a user and a bot."""

    def __init__(self, user: Client, bot_id: int, id_: str) -> None:
        self.user = user
        self.bot_id = bot_id
        self.id = id_

    async def messages(self) -> list[Any]:
        page = await self.user.request("GET", f"/conversations/{self.id}/messages", query={"limit": "100"})
        return list(page["items"])

    async def answers(self) -> list[Any]:
        return [message for message in await self.messages() if message["sender_id"] == self.bot_id]

    async def ask(self, *parts: str | Mention) -> Message:
        """Sends the text until the bot, which may not have started yet, has answered; returns the last."""

        async def is_answered() -> bool:
            asked.append(await self.user.send(self.id, **compose(*parts)))
            return bool(await self.answers())

        asked: list[Message] = []
        await eventually(is_answered)
        return asked[-1]


@asynccontextmanager
async def open_room(stack: SharedStack, crowd: Crowd, example: str) -> AsyncIterator[Room]:
    bot, user = crowd.newcomers(2)
    id_ = await user.create_group(bot.user_id)
    async with running_example(example, stack, bot.token), Client(stack.url, lambda: user.token) as client:
        yield Room(client, bot.user_id, id_)


async def test_the_bot_answers(stack: SharedStack, crowd: Crowd) -> None:
    async with open_room(stack, crowd, "bot") as room:
        await room.ask("hello")
        assert (await room.answers())[0]["content"] == "You said: hello"


async def test_the_reacting_bot_marks_what_mentions_it_and_mentions_the_author(
    stack: SharedStack, crowd: Crowd
) -> None:
    async with open_room(stack, crowd, "reacting_bot") as room:
        quiet = await room.user.send(room.id, "nothing for the bot")
        asked = await room.ask("👩‍👧 ", Mention(room.bot_id, "bot"), "?")
        assert asked["mentions"] == {"user_ids": [room.bot_id], "all": False}
        answer = (await room.answers())[-1]
        author = {"type": "mention", "user_id": room.user.user_id, "offset": 3, "length": 3}
        assert answer["entities"] == [author]
        reactions = {message["id"]: message.get("reactions") for message in await room.messages()}
        eyes = {"emoji": "👀", "count": 1, "user_ids": [room.bot_id], "mine": False}
        assert (reactions[answer["reply_to"]], reactions[quiet["id"]]) == ([eyes], None)
        edited = await room.user.edit(asked["id"], **compose(Mention(room.bot_id, "bot"), ", never mind."))
        assert edited["entities"][0]["offset"] == 0


def test_mentions_are_placed_by_utf_16_code_units() -> None:
    text = compose("👩‍👧 é ", Mention(1, "@Ünal 👍"), " and ", Mention(2, "x"))
    assert text["content"] == "👩‍👧 é @Ünal 👍 and x"
    places = [(one["user_id"], one["offset"], one["length"]) for one in text["entities"]]
    assert places == [(1, 8, 8), (2, 21, 1)]
