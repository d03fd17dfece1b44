"""Answers about the users of tokens are kept, but none from before a revocation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.auth.accounts import Accounts
from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.contract.operations.operation import CHAT_API
from messenger_shared.contract.operations.users import ADMIT
from messenger_shared.contract.tokens import Identity, InvalidToken
from messenger_shared.rpc.client import RpcClient
from messenger_shared.rpc.messages import Request
from messenger_shared.rpc.server import RpcServer
from tests.waiting import until

# External id -> user id.
IDS = {"ada": 7, "bo": 8}


class UserOwner:
    """chat-api, as far as admitting is concerned: knows who is deactivated, and answers when it may."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.bus = MemoryBus(broker, "chat-api")
        self.deactivated: set[int] = set()
        self.asked: list[int] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.server = RpcServer(self.bus, CHAT_API, {ADMIT.name: self._admit})

    async def _admit(self, request: Request) -> Any:
        ids = [user.get("id") or IDS[user["external_id"]] for user in request.body["users"]]
        self.asked += ids
        answer = [[user_id, user_id in self.deactivated] for user_id in ids]
        await self.may_answer.wait()
        return answer


@pytest.fixture
async def parts() -> AsyncIterator[tuple[Accounts, UserOwner]]:
    broker = MemoryBroker()
    owner, bus = UserOwner(broker), MemoryBus(broker, "gateway")
    rpc = RpcClient(bus, [CHAT_API])
    components = (owner.bus, bus, rpc, owner.server)
    for component in components:
        await component.start()
    await until(lambda: rpc.has_worker(CHAT_API))
    accounts = Accounts(rpc)
    yield accounts, owner
    await accounts.stop()
    for component in reversed(components):
        await component.stop()


def numeric(user_id: int) -> Identity:
    return Identity(user_id, expires_at=time.time() + 60, issued_at=time.time())


def external(name: str) -> Identity:
    return numeric(0)._replace(external_id=name)


async def test_an_answer_is_kept(parts: tuple[Accounts, UserOwner]) -> None:
    accounts, owner = parts
    for _ in range(3):
        assert (await accounts.admit(numeric(7))).user_id == 7
    assert owner.asked == [7]


@pytest.mark.parametrize("who", [numeric(7), external("ada")], ids=["numeric", "external"])
async def test_no_answer_from_before_a_deactivation_is_kept(
    parts: tuple[Accounts, UserOwner], who: Identity
) -> None:
    """Else a token from after the deactivation would be accepted for as long as answers are kept."""
    accounts, owner = parts
    owner.may_answer.clear()
    waiting = asyncio.create_task(accounts.admit(who))
    await until(lambda: owner.asked)
    owner.deactivated.add(7)
    accounts.forget(7)
    owner.may_answer.set()
    assert (await waiting).user_id == 7
    with pytest.raises(InvalidToken):
        await accounts.admit(who)


async def test_the_next_answer_after_a_revocation_is_kept(parts: tuple[Accounts, UserOwner]) -> None:
    accounts, owner = parts
    await accounts.admit(numeric(7))
    accounts.forget(7)
    for _ in range(3):
        await accounts.admit(numeric(7))
    assert owner.asked == [7, 7]


async def test_the_refusal_of_one_user_keeps_the_answers_about_others(
    parts: tuple[Accounts, UserOwner],
) -> None:
    accounts, owner = parts
    owner.deactivated.add(8)
    admitted = await asyncio.gather(
        accounts.admit(numeric(8)), accounts.admit(numeric(7)), return_exceptions=True
    )
    assert isinstance(admitted[0], InvalidToken)
    await accounts.admit(numeric(7))
    assert owner.asked == [8, 7]
