"""Workers that live but can't do all their work report that, and callers prefer others."""

from __future__ import annotations

from typing import Any

import pytest

from messenger_shared.rpc import workers
from messenger_shared.rpc.messages import Request
from tests.contract.callers import World
from tests.waiting import eventually, until

# So many that each of two workers is picked for some of them.
KEYS = 40


async def test_workers_that_are_not_well_are_asked_only_while_no_other_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "HEARTBEAT_S", 0.01)
    well = {"a": True, "b": False}
    asked: list[str] = []

    async def add(name: str) -> None:
        async def note(_: Request) -> Any:
            asked.append(name)

        await world.worker(note, lambda: well[name])

    async def ask_all() -> set[str]:
        asked.clear()
        for number in range(KEYS):
            await caller.ask(world.service, "do", {}, key=str(number))
        return set(asked)

    await add("a")
    await add("b")
    caller = await world.caller()
    await until(lambda: len(caller._rosters[world.service]) == 2)
    assert await ask_all() == {"a"}
    assert caller.has_healthy_worker(world.service)
    well["a"] = False
    await until(lambda: not caller.has_healthy_worker(world.service))
    # They go on with what they can still do.
    assert await ask_all() == {"a", "b"}
    assert caller.has_worker(world.service)
    well["b"] = True
    await until(lambda: caller.has_healthy_worker(world.service))
    assert await ask_all() == {"b"}
    well["a"] = True

    async def shared() -> bool:
        return await ask_all() == {"a", "b"}

    await eventually(shared)
