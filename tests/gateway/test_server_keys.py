"""Answers about server keys are kept, but none from before a revocation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from gateway.auth.server_keys import WRONG_BURST_S, WRONG_PER_S, ServerKeys
from messenger_shared.bus import channels
from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations.operation import CHAT_API
from messenger_shared.contract.operations.server.keys import VERIFY
from messenger_shared.contract.server_keys import new_key, parse_key
from messenger_shared.rpc.client import RpcClient
from messenger_shared.rpc.messages import Request
from messenger_shared.rpc.server import RpcServer
from tests.waiting import until

ADDRESS = "192.0.2.1"
value = REGISTRY.get_sample_value


class KeyOwner:
    """chat-api, as far as server keys are concerned: knows some, and answers when it may."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.bus = MemoryBus(broker, "chat-api")
        self.valid: set[str] = set()
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.server = RpcServer(self.bus, CHAT_API, {VERIFY.name: self._verify})

    def add(self) -> str:
        """Returns a new key, which is valid."""
        key = new_key()
        self.valid.add(id_of(key))
        return key

    def revoke(self, key: str) -> None:
        self.valid.remove(id_of(key))
        self.bus.publish(channels.SERVER_KEYS, id_of(key).encode())

    async def _verify(self, request: Request) -> Any:
        key_id = request.body["key_id"]
        self.asked.append(key_id)
        is_valid = key_id in self.valid
        await self.may_answer.wait()
        if not is_valid:
            raise AppError(errors.UNAUTHORIZED)
        return {"scopes": ["users"]}


@pytest.fixture
async def parts() -> AsyncIterator[tuple[ServerKeys, KeyOwner]]:
    broker = MemoryBroker()
    owner, bus = KeyOwner(broker), MemoryBus(broker, "gateway")
    rpc = RpcClient(bus, [CHAT_API])
    keys = ServerKeys(rpc, bus)
    components = (owner.bus, bus, rpc, owner.server, keys)
    for component in components:
        await component.start()
    await until(lambda: rpc.has_worker(CHAT_API))
    yield keys, owner
    for component in reversed(components):
        await component.stop()


def id_of(key: str) -> str:
    found = parse_key(key)
    assert found is not None
    return found.id


async def refusal(keys: ServerKeys, key: str) -> errors.ErrorKind:
    with pytest.raises(AppError) as raised:
        await keys.verify(key, ADDRESS)
    return raised.value.kind


async def test_a_key_is_asked_for_once_by_many_requests(parts: tuple[ServerKeys, KeyOwner]) -> None:
    keys, owner = parts
    key = owner.add()
    grants = await asyncio.gather(*(keys.verify(key, ADDRESS) for _ in range(10)))
    assert {grant.key_id for grant in grants} == {id_of(key)}
    assert (await keys.verify(key, ADDRESS)).scopes == {"users"}
    assert owner.asked == [id_of(key)]


async def test_a_revoked_key_is_refused_also_if_its_answer_was_under_way(
    parts: tuple[ServerKeys, KeyOwner],
) -> None:
    keys, owner = parts
    kept, under_way = owner.add(), owner.add()
    await keys.verify(kept, ADDRESS)
    owner.may_answer.clear()
    waiting = asyncio.create_task(keys.verify(under_way, ADDRESS))
    await until(lambda: id_of(under_way) in owner.asked)
    owner.revoke(kept)
    owner.revoke(under_way)
    # The answer comes after the messages: they take the same way.
    owner.may_answer.set()
    await waiting
    for key in (kept, under_way):
        assert await refusal(keys, key) is errors.UNAUTHORIZED


async def test_each_check_of_a_key_is_counted_by_its_outcome(parts: tuple[ServerKeys, KeyOwner]) -> None:
    keys, owner = parts
    before, key = key_checks(), owner.add()
    for _ in range(3):
        await keys.verify(key, ADDRESS)
    refused = [await refusal(keys, wrong) for wrong in (new_key(), "msk_x")]
    while refused[-1] is errors.UNAUTHORIZED:
        refused.append(await refusal(keys, "msk_x"))
    counted = {outcome: number - before[outcome] for outcome, number in key_checks().items()}
    expected = {"cached": 2, "asked": 1, "refused": len(refused) - 1, "limited": 1, "failed": 0}
    assert counted == expected


def key_checks() -> dict[str, float]:
    """Returns the checks that were counted so far, by outcome."""
    outcomes = ("cached", "asked", "refused", "limited", "failed")
    return {one: value("messenger_server_key_checks_total", {"outcome": one}) or 0 for one in outcomes}


async def test_others_wrong_guesses_dont_hinder_a_key_that_was_right(
    parts: tuple[ServerKeys, KeyOwner],
) -> None:
    keys, owner = parts
    key = owner.add()
    await keys.verify(key, ADDRESS)
    refused = [await refusal(keys, new_key()) for _ in range(WRONG_PER_S * WRONG_BURST_S + 5)]
    assert (refused[0], refused[-1]) == (errors.UNAUTHORIZED, errors.RATE_LIMITED)
    assert await refusal(keys, "msk_x") is errors.RATE_LIMITED
    assert (await keys.verify(key, ADDRESS)).key_id == id_of(key)


async def test_a_key_id_is_guessed_as_slowly_from_many_addresses(parts: tuple[ServerKeys, KeyOwner]) -> None:
    keys, _ = parts
    key_id, kinds = id_of(new_key()), []
    for place in range(WRONG_PER_S * WRONG_BURST_S + 5):
        _, _, secret = new_key().split("_", 2)
        with pytest.raises(AppError) as raised:
            await keys.verify(f"msk_{key_id}_{secret}", f"192.0.2.{place}")
        kinds.append(raised.value.kind)
    assert (kinds[0], kinds[-1]) == (errors.UNAUTHORIZED, errors.RATE_LIMITED)
