"""Asking the host before messages are stored, with a real database and a host that answers over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chat_api.before_send import asking
from chat_api.before_send.checks import BeforeSend
from chat_api.high_water_marks import HighWaterMarks
from chat_api.model import Draft, Edit, NewConversation
from chat_api.outgoing.slots import Limits
from chat_api.publisher import Publisher
from chat_api.send_batcher import SendBatcher
from chat_api.storage.conversations import PgConversations
from chat_api.storage.files import PgFiles
from chat_api.storage.messages import PgMessages
from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import new_id
from messenger_shared.postgres.database import Database
from tests.integration.asked_host import (
    ADMIN,
    MEMBER,
    OBSERVER,
    STRANGER,
    Host,
    Verdict,
    World,
    replacing,
)
from tests.waiting import until


@pytest.fixture
async def host() -> Host:
    return Host()


@pytest.fixture
async def world(database: Database, host: Host) -> AsyncIterator[World]:
    members = {ADMIN: "admin", MEMBER: "member", OBSERVER: "observer"}
    new = NewConversation(new_id(), "group", "title", ADMIN, members, None)
    await PgConversations(database).create(new)
    bus, messages = MemoryBus(MemoryBroker(), "chat-api"), PgMessages(database)
    app = web.Application()
    app.router.add_post("/check", host.answer)
    async with TestServer(app) as server:
        url = str(server.make_url("/check"))
        yield World(
            database, url, new.id, messages, SendBatcher(messages, Publisher(bus, HighWaterMarks(bus)))
        )


@pytest.fixture
async def before_send(world: World) -> AsyncIterator[BeforeSend]:
    before_send = world.before_send()
    await before_send.start()
    yield before_send
    await before_send.stop()


async def sent(before_send: BeforeSend, draft: Draft) -> Any:
    return orjson.loads(await before_send.send(draft))


async def refusal(before_send: BeforeSend, draft: Draft) -> tuple[str, Any]:
    with pytest.raises(AppError) as refused:
        await before_send.send(draft)
    return refused.value.kind.code, refused.value.details


async def test_the_host_allows_replaces_and_rejects(
    world: World, host: Host, before_send: BeforeSend
) -> None:
    host.says("rude", replacing("kind"))
    host.says("spam", {"action": "reject", "text": "광고는 안 됩니다."})
    host.says("bad", {"action": "reject"})
    fine = world.draft("fine", client_id="k")
    assert (await sent(before_send, fine))["data"]["content"] == "fine"
    assert (await sent(before_send, world.draft("rude")))["data"]["content"] == "kind"
    assert await refusal(before_send, world.draft("spam")) == (
        "message_rejected",
        {"content": ["광고는 안 됩니다."]},
    )
    assert await refusal(before_send, world.draft("bad")) == ("message_rejected", None)
    assert await world.contents() == ["fine", "kind"]
    assert host.asked[0] == {
        "conversation_id": world.room,
        "user_id": MEMBER,
        "client_message_id": "k",
        "message_type": "text",
        "content": "fine",
        "attachments": [],
    }


async def test_the_host_learns_the_names_of_files_and_may_leave_a_file_without_text(
    world: World, host: Host, before_send: BeforeSend
) -> None:
    files, file_id = PgFiles(world.database, 0, 0), new_id()
    await files.add(MEMBER, file_id, "plan.txt", 1, "text/plain", "00")
    await files.finish(file_id, MEMBER, "text/plain", "file", None)
    host.says("see", replacing(""))
    message = await sent(before_send, world.draft("see", attachments=[file_id]))
    assert (message["data"]["content"], len(message["data"]["attachments"])) == ("", 1)
    linked = {"file_url": "https://example.org/a", "file_name": "a.png"}
    await sent(before_send, world.draft("link", **linked))
    assert [data["attachments"] for data in host.asked] == [["plan.txt"], ["a.png"]]


async def test_a_replaced_text_keeps_its_mentions_without_places(
    world: World, host: Host, before_send: BeforeSend
) -> None:
    host.says("@admin rude", replacing("kind"))
    entity = {"type": "mention", "user_id": ADMIN, "offset": 0, "length": 6}
    mentions = {"mentions": {"user_ids": [ADMIN], "all": False}, "entities": [entity]}
    message = (await sent(before_send, world.draft("@admin rude", mentions=mentions)))["data"]
    assert (message["content"], message["mentions"]["user_ids"]) == ("kind", [ADMIN])
    assert not message.get("entities")


async def test_a_repeat_is_one_also_after_a_replacement_and_nobody_is_asked_again(
    world: World, host: Host, before_send: BeforeSend
) -> None:
    host.says("rude", replacing("kind"), {"action": "reject"})
    first = await sent(before_send, world.draft("rude", client_id="k"))
    again = await sent(before_send, world.draft("rude", client_id="k"))
    assert (again["message_id"], again["duplicate"]) == (first["message_id"], True)
    assert again["data"] == first["data"]
    assert host.contents == ["rude"]
    # Another text with this id is another message, also the one that was stored.
    for other in ("kind", "else"):
        assert (await refusal(before_send, world.draft(other, client_id="k")))[0] == "idempotency_conflict"
    # It stays so after an edit and a deletion.
    await world.messages.edit(first["message_id"], MEMBER, Edit("edited", None, None))
    assert (await sent(before_send, world.draft("rude", client_id="k")))["data"]["content"] == "edited"
    await world.messages.delete(first["message_id"], MEMBER)
    assert (await sent(before_send, world.draft("rude", client_id="k")))["duplicate"]
    assert host.contents == ["rude"]


async def test_repeats_at_once_are_stored_once_whatever_the_host_says_of_each(
    world: World, host: Host, before_send: BeforeSend
) -> None:
    # As from two gateways: other message ids, the same client's id.
    host.says("rude", replacing("kind"), replacing("friendly"))
    host.held["rude"] = asyncio.Event()
    drafts = [world.draft("rude", client_id="k") for _ in range(2)]
    both = [asyncio.ensure_future(sent(before_send, draft)) for draft in drafts]
    await until(lambda: len(host.asked) == 2)
    host.held["rude"].set()
    one, two = await asyncio.gather(*both)
    assert one["message_id"] == two["message_id"]
    # As from one gateway after a gap of the bus: the same request.
    draft = world.draft("hello")
    assert before_send.send(draft) is before_send.send(draft)
    await before_send.send(draft)
    assert host.contents == ["rude", "rude", "hello"]
    # Another worker has stored it meanwhile.
    late, host.held["late"] = world.draft("late"), asyncio.Event()
    host.says("late", {"action": "reject"})
    waiting = asyncio.ensure_future(sent(before_send, late))
    await until(lambda: "late" in host.contents)
    await world.batcher.send(late)
    host.held["late"].set()
    assert (await waiting)["message_id"] == late.id
    assert (await world.contents())[1:] == ["hello", "late"]


async def test_messages_of_a_user_keep_their_order_and_hold_up_nobody_else(
    world: World, host: Host, before_send: BeforeSend
) -> None:
    host.held["0"] = asyncio.Event()
    host.says("1", {"action": "reject"})
    mine = [asyncio.ensure_future(sent(before_send, world.draft(str(n)))) for n in range(4)]
    await until(lambda: len(host.asked) == 4)
    # The host answers the others first. A user beside them doesn't wait, and no batch does.
    assert (await sent(before_send, world.draft("other", sender=ADMIN)))["data"]["seq"] == 1
    assert await world.contents() == ["other"]
    host.held["0"].set()
    answers = await asyncio.gather(*mine, return_exceptions=True)
    assert isinstance(answers[1], AppError)
    assert await world.contents() == ["other", "0", "2", "3"]


async def test_who_may_not_write_is_refused_and_nobody_is_asked(
    world: World, host: Host, before_send: BeforeSend
) -> None:
    assert (await refusal(before_send, world.draft("x", sender=STRANGER)))[0] == "not_found"
    assert (await refusal(before_send, world.draft("x", sender=OBSERVER)))[0] == "forbidden"
    assert host.asked == []


FAILURES: list[Verdict] = [
    web.Response(status=500),
    web.Response(status=204),
    web.Response(text="allow"),
    *(replacing(bad) for bad in (None, " ", "a\x00b", "x" * 10_001)),
    {"action": "else"},
]


async def test_without_a_verdict_messages_are_stored_or_refused_for_the_moment(
    world: World, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "TIMEOUT_S", 0.3)
    host.held["slow"] = asyncio.Event()
    for number in range(len(FAILURES)):
        host.verdicts[str(number)] = lambda number=number: _fresh(FAILURES[number])  # type: ignore[misc]
    texts = [*map(str, range(len(FAILURES))), "slow"]
    opened, closed = world.before_send(), world.before_send(fails_open=False)
    for before_send in (opened, closed):
        await before_send.start()
    for text in texts:
        assert (await refusal(closed, world.draft(text)))[0] == "unavailable", text
        assert (await sent(opened, world.draft(text)))["data"]["content"] == text
    for before_send in (opened, closed):
        await before_send.stop()
    # No request at all can be made when as many as may be are with the host.
    full = world.before_send(limits=Limits(running=1, per_host=1, waiting=1, wait_s=0.1))
    await full.start()
    first = asyncio.ensure_future(sent(full, world.draft("slow")))
    await until(lambda: host.contents.count("slow") == 3)
    assert (await sent(full, world.draft("unasked", sender=ADMIN)))["data"]["content"] == "unasked"
    host.held["slow"].set()
    await first
    await full.stop()
    assert "unasked" not in host.contents


def _fresh(verdict: Verdict) -> Verdict:
    """A response is sent once."""
    return (
        web.Response(status=verdict.status, text=verdict.text)
        if isinstance(verdict, web.Response)
        else verdict
    )


async def test_edits_are_asked_about_too(world: World, host: Host, before_send: BeforeSend) -> None:
    host.says("rude", replacing("kind"))
    host.says("spam", {"action": "reject", "text": "no"})
    id_ = (await sent(before_send, world.draft("first")))["message_id"]
    host.asked.clear()
    assert await before_send.edit(id_, MEMBER, Edit("new", None, None)) == Edit("new", None, None)
    for expected_version in (None, 1, 1):
        edit = await before_send.edit(id_, MEMBER, Edit("rude", None, expected_version))
        # A repeat stays one, as long as the host says the same of the same.
        edited = await world.messages.edit(id_, MEMBER, edit)
        assert (edited.message["content"], edited.message["version"]) == ("kind", 2)
    with pytest.raises(AppError, match="message_rejected") as refused:
        await before_send.edit(id_, MEMBER, Edit("spam", None, None))
    assert refused.value.details == {"content": ["no"]}
    assert host.contents == ["new", "rude", "rude", "rude", "spam"]
    assert host.asked[0] == {
        "conversation_id": world.room,
        "user_id": MEMBER,
        "message_id": id_,
        "content": "new",
    }
    host.asked.clear()
    # What changes nothing, is blank, or isn't the caller's, is left to the store.
    for caller, text in ((MEMBER, "kind"), (MEMBER, " "), (ADMIN, "x"), (STRANGER, "x")):
        assert (await before_send.edit(id_, caller, Edit(text, None, None))).content == text
    await world.messages.delete(id_, MEMBER)
    await before_send.edit(id_, MEMBER, Edit("x", None, None))
    assert host.asked == []
