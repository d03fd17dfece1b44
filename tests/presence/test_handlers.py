"""Owns the tests of presence's operations, asked for over the in-memory bus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.rpc import Request
from messenger_shared.rpc_client import RpcClient
from messenger_shared.rpc_server import RpcServer
from presence.handlers import handler_table
from presence.tracker import Tracker
from tests.presence.stores import MemoryBench

GATEWAY = "gateway-1"


@pytest.fixture
def tracker() -> Tracker:
    return Tracker(MemoryBench().store, ())


@pytest.fixture
async def client(tracker: Tracker) -> AsyncIterator[RpcClient]:
    broker = MemoryBroker()
    inside, outside = MemoryBus(broker, "presence-1"), MemoryBus(broker, GATEWAY)
    await inside.start()
    await outside.start()
    server = RpcServer(inside, "presence", handler_table(tracker))
    client = RpcClient(outside, ("presence",))
    await server.start()
    await client.start()
    yield client
    await client.stop()
    await server.stop()
    await outside.stop()
    await inside.stop()


async def _ask(client: RpcClient, operation: str, **body: Any) -> Any:
    return await client.ask("presence", operation, body, key=GATEWAY)


async def test_gateway_reports_and_leaves(client: RpcClient) -> None:
    first = await _ask(client, "presence.report", gateway=GATEWAY, opened=[1], closed=[], full=False)
    assert first == {"known": False}
    second = await _ask(client, "presence.report", gateway=GATEWAY, opened=[1, 2], closed=[], full=True)
    assert second == {"known": True}
    third = await _ask(client, "presence.report", gateway=GATEWAY, opened=[], closed=[1], full=False)
    assert third == {"known": True}
    assert await _ask(client, "presence.online", user_ids=[1, 2, 3]) == {"user_ids": [2]}
    assert await _ask(client, "presence.leave", gateway=GATEWAY) == {}
    assert await _ask(client, "presence.online", user_ids=[1, 2, 3]) == {"user_ids": []}


async def test_request_that_arrives_late_does_not_undo_a_later_one(tracker: Tracker) -> None:
    report = handler_table(tracker)["presence.report"]

    def request(id_: int, opened: list[int], closed: list[int], full: bool = False) -> Request:
        body = {"gateway": GATEWAY, "opened": opened, "closed": closed, "full": full}
        return Request(id_, "presence.report", 0, 5_000, "", body)

    assert await report(request(1, [], [], full=True)) == {"known": True}
    assert await report(request(3, [], [1])) == {"known": True}
    assert await report(request(2, [1], [])) == {"known": False}
    assert await tracker.online([1]) == []


@pytest.mark.parametrize(
    ("operation", "body", "field"),
    [
        ("presence.report", {"gateway": 1}, "gateway"),
        ("presence.report", {"full": "maybe"}, "full"),
        ("presence.report", {"opened": [True]}, "opened"),
        ("presence.report", {"closed": [0]}, "closed"),
        ("presence.leave", {"gateway": None}, "gateway"),
        ("presence.online", {"user_ids": [2**63]}, "user_ids"),
    ],
)
async def test_malformed_bodies_are_refused(
    client: RpcClient, operation: str, body: dict[str, Any], field: str
) -> None:
    whole = {"gateway": GATEWAY, "opened": [], "closed": [], "full": True, "user_ids": []}
    with pytest.raises(AppError) as refused:
        await _ask(client, operation, **{**whole, **body})
    assert refused.value.kind == errors.INVALID_FRAME
    assert refused.value.details is not None
    assert list(refused.value.details) == [field]
