"""A stack whose host is asked before messages are stored, over both doors."""

from __future__ import annotations

import asyncio
import socket as sockets
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import web

from messenger_sdk import verify_webhook
from tests.conftest import SharedStack, shared_stack
from tests.e2e.crowd import Crowd, open_crowd
from tests.e2e.hosts import host_with, new_key
from tests.metrics import scrape_by_labels
from tests.waiting import until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Host:
    """Finds some words rude and some forbidden. Thinks about `slow` ones until it is let go."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.goes_on = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        data = verify_webhook(await request.read(), request.headers, SECRET)["data"]
        self.asked.append(data)
        content = data["content"]
        if "slow" in content:
            await self.goes_on.wait()
        verdict = {"action": "allow"}
        if "rude" in content:
            verdict = {"action": "replace", "content": content.replace("rude", "kind")}
        if "spam" in content:
            verdict = {"action": "reject", "text": "No advertising, please."}
        response = web.json_response(verdict)
        # The next test has another host at this port.
        response.force_close()
        return response


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SharedStack, int]]:
    """Yields the stack, and the port at which it looks for its host."""

    with sockets.socket() as one, sockets.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        port, host_port = one.getsockname()[1], other.getsockname()[1]
    env = {
        "MESSENGER_BEFORE_SEND_URL": f"http://127.0.0.1:{host_port}/check",
        "MESSENGER_BEFORE_SEND_SECRET": SECRET,
    }
    with shared_stack(tmp_path_factory.mktemp("asking") / "data", port, env) as stack:
        yield stack, host_port


@pytest.fixture
def asking(ports: tuple[SharedStack, int]) -> SharedStack:
    return ports[0]


@pytest.fixture
async def host(ports: tuple[SharedStack, int]) -> AsyncIterator[Host]:
    host, app = Host(), web.Application()
    app.router.add_post("/check", host.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", ports[1], reuse_address=True).start()
    yield host
    host.goes_on.set()
    await runner.cleanup()


@pytest.fixture
async def people(asking: SharedStack) -> AsyncIterator[Crowd]:
    async with open_crowd(asking.url, asking.token) as crowd:
        yield crowd


async def test_verdicts_over_the_socket(people: Crowd, host: Host) -> None:
    ada, bo = people.newcomers(2)
    room = await ada.create_group(bo.user_id)
    socket, other = await ada.connect(), await bo.connect()
    sent = await socket.request("message.send", conversation_id=room, content="fine")
    assert (sent["type"], sent["data"]["content"]) == ("message.sent", "fine")
    rude = {"conversation_id": room, "content": "a rude word", "client_message_id": "k"}
    sent = await socket.request("message.send", **rude)
    assert sent["data"]["content"] == "a kind word"
    assert (await other.expect("message.new", pos=sent["data"]["pos"]))["data"] == sent["data"]
    again = await socket.request("message.send", **rude)
    assert (again["message_id"], again["duplicate"], len(host.asked)) == (sent["message_id"], True, 2)
    refused = await socket.request("message.send", conversation_id=room, content="spam")
    assert (refused["code"], refused["details"], refused["retryable"]) == (
        "message_rejected",
        {"content": ["No advertising, please."]},
        False,
    )
    edited = await socket.request("message.edit", message_id=sent["message_id"], content="so rude")
    assert edited["data"]["content"] == "so kind"
    refused = await socket.request("message.edit", message_id=sent["message_id"], content="spam")
    assert refused["code"] == "message_rejected"
    history = (await bo.get(f"/conversations/{room}/messages")).body["items"]
    assert [message["content"] for message in history] == ["so kind", "fine"]


async def test_verdicts_over_rest(people: Crowd, host: Host) -> None:
    ada = people.newcomer()
    path = f"/conversations/{await ada.create_group()}/messages"
    sent = await ada.post(path, {"content": "rude"}, **{"Idempotency-Key": "k"})
    assert (sent.status, sent.body["content"]) == (201, "kind")
    again = await ada.post(path, {"content": "rude"}, **{"Idempotency-Key": "k"})
    assert (again.status, again.body["id"], len(host.asked)) == (200, sent.body["id"], 1)
    assert (await ada.post(path, {"content": "kind"}, **{"Idempotency-Key": "k"})).status == 409
    refused = await ada.post(path, {"content": "spam"})
    assert (refused.status, refused.body["code"]) == (422, "message_rejected")
    assert refused.body["errors"] == {"content": ["No advertising, please."]}
    edited = await ada.call("PUT", f"/messages/{sent.body['id']}", body={"content": "very rude"})
    assert edited.body["content"] == "very kind"
    refused = await ada.call("PUT", f"/messages/{sent.body['id']}", body={"content": "spam"})
    assert (refused.status, refused.body["code"]) == (422, "message_rejected")


async def test_a_host_that_thinks_holds_up_one_socket_and_the_order_stays(people: Crowd, host: Host) -> None:
    ada, bo = people.newcomers(2)
    room = await ada.create_group(bo.user_id)
    socket, other = await ada.connect(), await bo.connect()
    for number, content in enumerate(("slow", "second", "third")):
        await socket.send("message.send", conversation_id=room, content=content, ref=str(number))
    await until(lambda: host.asked)
    assert (await other.request("message.send", conversation_id=room, content="other"))["data"]["seq"] == 1
    host.goes_on.set()
    sent = [await socket.expect("message.sent", ref=str(number)) for number in range(3)]
    assert [frame["data"]["seq"] for frame in sent] == [2, 3, 4]


async def test_without_an_answer_in_time_the_message_is_stored(
    people: Crowd, host: Host, asking: SharedStack
) -> None:
    ada = people.newcomer()
    room = await ada.create_group()
    socket = await ada.connect()
    sent = await socket.request("message.send", conversation_id=room, content="slow and rude")
    assert sent["data"]["content"] == "slow and rude"
    assert len(host.asked) == 1
    failures = await scrape_by_labels(asking, "messenger_before_send_failures_total", "chat-api")
    assert failures["timeout"] >= 1
    verdicts = await scrape_by_labels(asking, "messenger_before_send_verdicts_total", "chat-api")
    assert verdicts.keys() == {"allow", "replace", "reject"}


async def test_a_host_that_is_away_keeps_nobody_from_writing(people: Crowd) -> None:
    ada = people.newcomer()
    room = await ada.create_group()
    sent = await ada.post(f"/conversations/{room}/messages", {"content": "rude"})
    assert (sent.status, sent.body["content"]) == (201, "rude")


async def test_what_the_host_sends_itself_it_is_not_asked_about(
    people: Crowd, host: Host, asking: SharedStack
) -> None:
    ada = people.newcomer()
    room = await ada.create_group()
    async with host_with(asking.url, new_key(asking.data_dir)) as own:
        for sender in (ada.user_id, None):
            body = {"sender_id": sender, "content": "spam"}
            body |= {} if sender else {"message_type": "system"}
            sent = await own.post(f"/server/conversations/{room}/messages", body)
            assert (sent.status, sent.body["content"]) == (201, "spam")
    assert host.asked == []
