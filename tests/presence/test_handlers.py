"""Tests presence's operations, requested over the in-memory bus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations.operation import PRESENCE
from messenger_shared.contract.operations.table import TABLE
from messenger_shared.contract.presence_states import NOBODY
from messenger_shared.rpc.client import RpcClient
from messenger_shared.rpc.messages import Request
from messenger_shared.rpc.server import RpcServer
from presence.choices import Choices
from presence.handlers import Handlers, handler_table
from presence.last_seen import LastSeen
from presence.ports import Choice
from presence.statistics import Statistics
from presence.tracker import Tracker
from presence.visibility import Visibility
from tests.presence.fakes import ChoiceLoader, KnownContacts, RecordingPublisher
from tests.presence.stores import MemoryHarness, seen, settle

GATEWAY = "gateway-1"


class MemoryChoices(Choices):
    """The users' choices, without a database."""

    def __init__(self) -> None:
        self.saved: dict[int, Choice] = {}

    async def save(self, user_id: int, invisible: bool | None, visibility: str | None) -> Choice:
        old = self.saved.get(user_id, Choice(user_id, 0, False, False))
        hides = old.hides if visibility is None else visibility == NOBODY
        choice = Choice(user_id, old.version + 1, old.invisible if invisible is None else invisible, hides)
        self.saved[user_id] = choice
        return choice


class PresenceParts:
    """presence's parts over an in-memory store."""

    def __init__(self) -> None:
        self.harness = MemoryHarness()
        self.choices = MemoryChoices()
        self.publisher = RecordingPublisher()
        some: Any = None
        database: Any = None
        store = self.harness.store
        self.tracker = Tracker(store, self.publisher, ChoiceLoader(self.harness))
        visibility = Visibility(store, LastSeen(database, store), KnownContacts({1, 2, 3}))
        statistics: Statistics = some
        self.table = handler_table(Handlers(self.tracker, store, self.choices, visibility, statistics))


@pytest.fixture
async def parts() -> PresenceParts:
    parts = PresenceParts()
    await settle(parts.harness)
    return parts


@pytest.fixture
async def client(parts: PresenceParts) -> AsyncIterator[RpcClient]:
    broker = MemoryBroker()
    within, outside = MemoryBus(broker, "presence-1"), MemoryBus(broker, GATEWAY)
    await within.start()
    await outside.start()
    server = RpcServer(within, "presence", parts.table)
    client = RpcClient(outside, ("presence",))
    await server.start()
    await client.start()
    yield client
    await client.stop()
    await server.stop()
    await outside.stop()
    await within.stop()


async def _ask(client: RpcClient, operation: str, caller: int = 0, **body: Any) -> Any:
    return await client.ask("presence", operation, body, key=GATEWAY, user_id=caller)


def test_every_operation_of_presence_has_a_handler_and_no_other(parts: PresenceParts) -> None:
    assert set(parts.table) == {o.name for o in TABLE.values() if o.service == PRESENCE}


async def test_gateway_reports_and_leaves(client: RpcClient, parts: PresenceParts) -> None:
    first = await _ask(client, "presence.report", gateway=GATEWAY, opened=[1], closed=[], full=False)
    assert first == {"known": False}
    second = await _ask(
        client, "presence.report", gateway=GATEWAY, opened=[1, 2], closed=[], away=[3], full=True
    )
    assert second == {"known": True}
    third = await _ask(client, "presence.report", gateway=GATEWAY, opened=[3], closed=[1], full=False)
    assert third == {"known": True}
    states = await _ask(client, "presence.states", user_ids=[2, 3, 4])
    assert states["settled"]
    assert states["states"] == [["online", False, None], ["online", False, None], ["offline", False, None]]
    assert await _ask(client, "presence.leave", gateway=GATEWAY) == {}
    assert [state.real for state in (await parts.harness.store.states([2, 3])).states] == ["offline"] * 2


async def test_request_that_arrives_late_does_not_undo_a_later_one(parts: PresenceParts) -> None:
    report = parts.table["presence.report"]

    def request(id_: int, opened: list[int], closed: list[int], full: bool = False) -> Request:
        body = {"gateway": GATEWAY, "opened": opened, "closed": closed, "full": full}
        return Request(id_, "presence.report", 0, 5_000, "", body)

    assert await report(request(1, [], [], full=True)) == {"known": True}
    assert await report(request(3, [], [1])) == {"known": True}
    assert await report(request(2, [1], [])) == {"known": False}
    assert await seen(parts.harness, 1) == ["offline"]


async def test_people_are_looked_up_for_a_caller_in_every_way(client: RpcClient) -> None:
    await _ask(client, "presence.report", gateway=GATEWAY, opened=[1, 2, 4], closed=[], away=[3], full=True)
    two = {"user_id": 2, "status": "online", "last_seen_at": None}
    three = {"user_id": 3, "status": "away", "last_seen_at": None}
    assert await _ask(client, "presence.look", 1, user_ids=[3, 4, 2]) == [three, two]
    page = {"items": [three, two], "next_cursor": None}
    assert await _ask(client, "presence.list", 1, user_ids=[3, 4, 2]) == page
    assert await _ask(client, "presence.get", 1, user_id=2) == two
    page = {"items": [two, three], "next_cursor": None}
    assert await _ask(client, "presence.online", 1, cursor=None, limit=10) == page


async def test_what_a_user_chooses_is_kept_and_acted_upon(client: RpcClient, parts: PresenceParts) -> None:
    await _ask(client, "presence.report", gateway=GATEWAY, opened=[1, 2], closed=[], full=True)
    await _ask(client, "presence.choose", 1, status="invisible")
    assert await seen(parts.harness, 1, 2) == ["offline", "online"]
    await _ask(client, "presence.choose", 1, last_seen_visibility="nobody")
    assert parts.choices.saved == {1: Choice(1, 2, True, True)}
    await _ask(client, "presence.choose", 1, status="away", last_seen_visibility="contacts")
    assert parts.choices.saved == {1: Choice(1, 3, False, False)}
    assert await seen(parts.harness, 1) == ["online"]


async def test_going_away_and_coming_back_is_no_choice_that_is_kept(
    client: RpcClient, parts: PresenceParts
) -> None:
    for status in ("away", "online"):
        await _ask(client, "presence.choose", 1, status=status)
    await _ask(client, "presence.choose", 1)
    assert parts.choices.saved == {}
    # It can't be answered while the choices aren't loaded.
    await parts.harness.empty()
    await _ask(client, "presence.choose", 1, status="online")
    assert list(parts.choices.saved) == [1]


@pytest.mark.parametrize(
    ("operation", "body", "field"),
    [
        ("presence.report", {"gateway": 1}, "gateway"),
        ("presence.report", {"full": "maybe"}, "full"),
        ("presence.report", {"opened": [True]}, "opened"),
        ("presence.report", {"closed": [0]}, "closed"),
        ("presence.report", {"away": ["1"]}, "away"),
        ("presence.report", {"connections": -1}, "connections"),
        ("presence.leave", {"gateway": None}, "gateway"),
        ("presence.states", {"user_ids": [2**53]}, "user_ids"),
        ("presence.choose", {"status": "offline"}, "status"),
        ("presence.choose", {"last_seen_visibility": "some"}, "last_seen_visibility"),
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
