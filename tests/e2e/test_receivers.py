"""The SDK's examples of receivers take what a webhook of the stack delivers."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
from werkzeug.serving import make_server

from chat_api.outgoing.signatures import signed_headers
from tests.client import User
from tests.e2e.crowd import Crowd
from tests.e2e.hosts import webhook
from tests.e2e.next import EXAMPLE, WEB, NextReceiver, next_receiver
from tests.waiting import eventually, until

FLASK = Path(__file__).parents[2] / "shared/sdk/examples/flask_receiver.py"
SOON_S = 30.0


async def test_the_flask_example_keeps_the_newest_state(exporter: User, crowd: Crowd) -> None:
    messages: dict[str, dict[str, Any]] = {}
    known: list[str] = []
    with _flask(known, messages) as url:
        async with aiohttp.ClientSession() as http, http.post(url, data=b"{}") as refused:
            assert refused.status == 401
        async with webhook(exporter, url) as (_, secret):
            known.append(secret)
            id_ = await _edited(crowd.newcomer())
            await until(lambda: messages.get(id_, {}).get("content") == "2 👋", SOON_S)


async def test_the_next_example_keeps_the_newest_state_and_takes_an_event_once(
    exporter: User, crowd: Crowd
) -> None:
    async with next_receiver() as receiver:
        assert await receiver.post(b"{}", {}) == 401
        async with webhook(exporter, receiver.url) as (path, old):
            await receiver.know(old)
            id_ = await _edited(crowd.newcomer())
            await eventually(lambda: _has(receiver, id_, "2 👋"), SOON_S)
            # For a day both secrets sign, so the receiver may change to the new one at any time.
            rotated = (await exporter.post(f"{path}/rotate", {})).body
            for secrets in ([old], [rotated["secret"]]):
                await receiver.know(*secrets)
                assert (await exporter.post(f"{path}/test", {})).body["status"] == 204
            await receiver.know("whsec_" + 32 * "A")
            assert (await exporter.post(f"{path}/test", {})).body["status"] == 401
            await receiver.know("whsec_" + 32 * "A", rotated["secret"])
            await _check_that_ids_are_taken_once(receiver, rotated["secret"], id_)


async def _check_that_ids_are_taken_once(receiver: NextReceiver, secret: str, message_id: str) -> None:
    """Posts other texts under the id of an event that it has, and under a new one."""
    kept = await receiver.kept()
    message = kept["messages"][message_id] | {"content": "other"}
    taken = f"evt_{message['conversation_id']}_{message['pos']}"
    assert taken in kept["taken"]
    event = {"type": "message.edited", "timestamp": "", "data": {"data": message}}
    body, now = json.dumps(event).encode(), int(time.time())
    for id_, at, status, content in (
        (taken, now, 204, "2 👋"),
        ("evt_new", now - 600, 401, "2 👋"),
        ("evt_new", now, 204, "other"),
    ):
        assert await receiver.post(body, signed_headers(id_, at, body, [secret])) == status
        assert await _has(receiver, message_id, content)


def test_the_next_example_pins_the_judge_that_it_is_tested_with() -> None:
    pinned = json.loads((EXAMPLE / "package.json").read_text())["dependencies"]
    tested = json.loads((WEB / "package.json").read_text())["devDependencies"]
    assert pinned["standardwebhooks"] == tested["standardwebhooks"]


async def _edited(user: User) -> str:
    """Sends a message, changes it to "2 👋", and returns its id."""
    room = await user.create_group()
    sent = await user.post(f"/conversations/{room}/messages", {"content": "1"})
    await user.call("PUT", f"/messages/{sent.body['id']}", body={"content": "2 👋"})
    return str(sent.body["id"])


async def _has(receiver: NextReceiver, message_id: str, content: str) -> bool:
    message = (await receiver.kept())["messages"].get(message_id)
    return bool(message and message["content"] == content)


@contextlib.contextmanager
def _flask(known: list[str], messages: dict[str, Any]) -> Iterator[str]:
    spec = importlib.util.spec_from_file_location("flask_receiver", FLASK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    server = make_server("127.0.0.1", 0, module.create_app(known, messages))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/messenger-webhook"
    finally:
        server.shutdown()
        thread.join()
