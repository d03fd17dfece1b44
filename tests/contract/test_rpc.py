"""Requests and answers over memory and over a real Valkey, even while workers come and go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from messenger_shared.bus import channels
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.rpc import client, workers
from messenger_shared.rpc import server as rpc_server
from messenger_shared.rpc.messages import Request, pack_requests
from tests.contract.callers import World
from tests.waiting import LIMIT_S, until


async def echo(request: Request) -> Any:
    return {"user": request.user_id, **request.body}


async def test_a_question_is_answered(world: World) -> None:
    await world.worker(echo)
    caller = await world.caller()
    assert await caller.ask(world.service, "do", {"a": 1}, key="k", user_id=7) == {"user": 7, "a": 1}


async def test_many_questions_of_one_turn_are_handled_in_their_order(world: World) -> None:
    seen: list[int] = []

    async def note(request: Request) -> Any:
        seen.append(request.body["n"])
        return request.body["n"]

    await world.worker(note)
    caller = await world.caller()
    answers = [caller.ask(world.service, "do", {"n": n}, key="k") for n in range(200)]
    assert await asyncio.gather(*answers) == list(range(200))
    assert seen == list(range(200))


async def test_an_apperror_arrives_as_it_was_raised(world: World) -> None:
    async def fail(request: Request) -> Any:
        raise AppError(errors.FORBIDDEN, details={"a": ["b"]}, retry_after_ms=5)

    await world.worker(fail)
    caller = await world.caller()
    with pytest.raises(AppError) as caught:
        await caller.ask(world.service, "do", {}, key="k")
    assert (
        caught.value.to_wire() == AppError(errors.FORBIDDEN, details={"a": ["b"]}, retry_after_ms=5).to_wire()
    )


async def test_any_other_exception_is_internal_and_tells_nothing(world: World) -> None:
    async def fail(request: Request) -> Any:
        raise KeyError("secret")

    await world.worker(fail)
    caller = await world.caller()
    with pytest.raises(AppError) as caught:
        await caller.ask(world.service, "do", {}, key="k")
    assert caught.value.kind is errors.INTERNAL
    assert "secret" not in str(caught.value.to_wire())


async def test_without_a_worker_it_is_unavailable_at_the_deadline(world: World) -> None:
    caller = await world.caller()
    with pytest.raises(AppError) as caught:
        await caller.ask(world.service, "do", {}, key="k", deadline_s=0.3)
    assert caught.value.kind is errors.UNAVAILABLE


async def test_a_question_that_waits_is_asked_when_a_worker_comes(world: World) -> None:
    caller = await world.caller()
    answer = caller.ask(world.service, "do", {}, key="k", user_id=3)
    await world.worker(echo)
    assert await answer == {"user": 3}


async def test_a_worker_that_says_nothing_is_a_timeout(world: World) -> None:
    async def sleep(request: Request) -> Any:
        await asyncio.Event().wait()

    server, _ = await world.worker(sleep)
    caller = await world.caller()
    await until(lambda: caller.has_worker(world.service))
    with pytest.raises(AppError) as caught:
        await caller.ask(world.service, "do", {}, key="k", deadline_s=0.4)
    assert caught.value.kind is errors.TIMEOUT
    # The worker gives up too, since nobody waits for the answer any more.
    await until(lambda: not server._running)


async def test_one_key_keeps_to_one_worker_and_many_keys_use_all(world: World) -> None:
    def name(n: int) -> Callable[[Request], Any]:
        async def handler(request: Request) -> Any:
            return n

        return handler

    for n in range(3):
        await world.worker(name(n))
    caller = await world.caller()
    await until(lambda: len(caller._rosters[world.service]) == 3)
    assert len({await caller.ask(world.service, "do", {}, key="same") for _ in range(20)}) == 1
    counts = [0, 0, 0]
    for key in range(300):
        counts[await caller.ask(world.service, "do", {}, key=str(key))] += 1
    assert min(counts) > 50


async def test_when_a_worker_dies_another_answers_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The requests die with the worker: its subscription is gone, and its announcements stop."""
    # By what else would find it in the end, the answers would come too late.
    monkeypatch.setattr(client, "RETRY_ELSEWHERE_S", 2 * LIMIT_S)
    monkeypatch.setattr(workers, "DEAD_AFTER_S", 2 * LIMIT_S)
    asked = asyncio.Event()

    async def hang(request: Request) -> Any:
        asked.set()
        await asyncio.Event().wait()

    server, bus = await world.worker(hang)
    caller = await world.caller()
    await until(lambda: caller.has_worker(world.service))
    gone = asyncio.Event()
    caller.on_gone(world.service, gone.set)
    answers = [caller.ask(world.service, "do", {"n": n}, key="k", deadline_s=LIMIT_S) for n in range(5)]
    await asyncio.wait_for(asked.wait(), LIMIT_S)
    order: list[int] = []

    async def note(request: Request) -> Any:
        order.append(request.body["n"])
        return request.body["n"]

    await world.worker(note)
    bus.unsubscribe([channels.requests(world.service, bus.worker), channels.workers(world.service)])
    await asyncio.gather(*answers)
    assert gone.is_set()
    assert order == [0, 1, 2, 3, 4]
    for future in server._running:
        future.cancel()


async def test_a_lost_answer_is_asked_for_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "RETRY_ELSEWHERE_S", 0.2)
    again: list[bool] = []

    async def note(request: Request) -> Any:
        again.append(request.is_retry)
        return await echo(request)

    _, bus = await world.worker(note)
    caller = await world.caller()
    publish, lost = bus.publish, []

    def lossy(channel: str, payload: bytes, receipt: Any = None) -> None:
        if channel.startswith("reply:") and not lost:
            lost.append(payload)
        else:
            publish(channel, payload, receipt)

    monkeypatch.setattr(bus, "publish", lossy)
    assert await caller.ask(world.service, "do", {"a": 1}, key="k") == {"user": 0, "a": 1}
    assert lost
    # On a busy machine the second answer may come late, too.
    assert again[:2] == [False, True]
    assert all(again[1:])


async def test_a_worker_that_was_stalled_leaves_what_waited_to_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    async def note(request: Request) -> Any:
        seen.append(request.body["n"])

    server, bus = await world.worker(note)
    caller = await world.caller()
    monkeypatch.setattr(rpc_server, "RETRY_ELSEWHERE_S", 0.05)
    time.sleep(0.1)  # noqa: ASYNC251  (the whole process is stalled)
    for number, is_retry in ((1, False), (2, True)):
        request = Request(number, "do", 0, 5_000, "", {"n": number}, is_retry)
        bus.publish(channels.requests(world.service, bus.worker), pack_requests("caller", [request]))
    await until(lambda: seen)
    monkeypatch.undo()
    await until(lambda: server._backlog_until == 0.0)
    await caller.ask(world.service, "do", {"n": 3}, key="k")
    assert seen == [2, 3]


async def test_a_worker_that_leaves_finishes_what_it_was_asked(world: World) -> None:
    go = asyncio.Event()

    async def slow(request: Request) -> Any:
        await go.wait()
        return "done"

    server, _ = await world.worker(slow)
    caller = await world.caller()
    answer = caller.ask(world.service, "do", {}, key="k")
    await until(lambda: server._running)
    stopping = asyncio.create_task(server.stop())
    await until(lambda: not caller.has_worker(world.service))
    go.set()
    assert await answer == "done"
    await stopping


async def test_a_worker_that_has_too_much_to_do_says_when_to_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc_server, "MAX_IN_FLIGHT", 2)
    go_on = asyncio.Event()

    async def wait(request: Request) -> Any:
        await go_on.wait()
        return request.body["n"]

    await world.worker(wait)
    caller = await world.caller()
    answers = [caller.ask(world.service, "do", {"n": n}, key="k") for n in range(3)]
    with pytest.raises(AppError) as caught:
        await answers[2]
    assert caught.value.kind is errors.OVERLOADED
    assert caught.value.retry_after_ms
    go_on.set()
    assert await asyncio.gather(*answers[:2]) == [0, 1]
    assert await caller.ask(world.service, "do", {"n": 3}, key="k") == 3


async def test_a_caller_who_waits_for_too_many_answers_asks_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_PENDING", 2)
    await world.worker(echo)
    caller = await world.caller()
    answers = [caller.ask(world.service, "do", {}, key="k") for _ in range(2)]
    with pytest.raises(AppError) as caught:
        await caller.ask(world.service, "do", {}, key="k")
    assert caught.value.kind is errors.OVERLOADED
    await asyncio.gather(*answers)
    assert await caller.ask(world.service, "do", {}, key="k") == {"user": 0}
