"""A host application with a server key: it names users, ensures conversations by key, and posts messages."""

from __future__ import annotations

import asyncio
import secrets
from itertools import count
from random import Random
from typing import Any

from tests.faults.actors.gateway_client import GatewayClient
from tests.faults.actors.repetition import Outcome, until_certain
from tests.faults.record.history import History
from tests.faults.record.host_log import HostLog, HostSend

USERS = 6
# How many conversations are ensured and written to at the same time.
WRITERS = 3
# One new key in so many ensured conversations; the others are repeats.
NEW_KEY_ONE_IN = 3
# One request in so many is made twice at the same time.
TWICE_ONE_IN = 3
THINK_S = (0.05, 0.2)


class Host:
    """One host application. Each request is repeated until its result is certain."""

    def __init__(self, gateway: GatewayClient, key: str, history: History, random: Random) -> None:
        self._gateway = gateway
        self._key = key
        self._random = random
        self._prefix = secrets.token_hex(6)
        self._numbers = count(1)
        self._log = HostLog()
        history.hosts.append(self._log)
        self._tasks: list[asyncio.Task[None]] = []
        self._is_finishing = False

    async def prepare(self) -> None:
        """Stores the users, so that there is somebody to talk to."""
        for number in range(USERS):
            await self._rename(f"{self._prefix}-{number}")

    def start(self) -> None:
        """Starts to rename users and to write."""
        works = (self._rename_all, *[self._write_all] * WRITERS)
        self._tasks = [asyncio.create_task(work(), name="host") for work in works]

    async def finish(self, timeout_s: float) -> None:
        """Begins nothing new; returns when the result of every request is certain."""
        self._is_finishing = True
        if not self._tasks:
            return
        done, waiting = await asyncio.wait(self._tasks, timeout=timeout_s)
        if waiting:
            self._log.refusals.append(f"no certainty within {timeout_s:.0f} s")
        await asyncio.gather(*done)

    async def stop(self) -> None:
        """Stops at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _rename_all(self) -> None:
        while not self._is_finishing:
            await self._rename(self._random.choice(list(self._log.user_ids)))
            await self._think()

    async def _rename(self, external_id: str) -> None:
        name = f"name {next(self._numbers)}"
        users = [{"external_id": external_id, "name": name}]
        [outcome] = await self._ask("PUT", "/server/users", {"users": users})
        if outcome.data is not None:
            [user] = outcome.data["items"]
            self._log.user_ids[external_id].add(user["id"])
            self._log.names[external_id] = user["name"]
            self._log.renames += 1

    async def _write_all(self) -> None:
        while not self._is_finishing:
            await self._write()
            await self._think()

    async def _write(self) -> None:
        """Gets or creates a conversation by its key, and posts in it as its first participant."""
        rooms = self._log.room_ids
        if not rooms or self._random.randrange(NEW_KEY_ONE_IN) == 0:
            key = f"{self._prefix}-room-{next(self._numbers)}"
        else:
            key = self._random.choice(list(rooms))
        users = [next(iter(ids)) for ids in self._log.user_ids.values()]
        members = self._random.sample(users, self._random.randint(1, len(users)))
        body = {"type": "group", "title": "an order", "participant_ids": members}
        outcomes = await self._ask("PUT", f"/server/conversations/by-key/{key}", body, may_repeat=True)
        ids = {outcome.data["id"] for outcome in outcomes if outcome.data is not None}
        rooms[key] |= ids
        if ids:
            await self._post(ids.pop(), members[0])

    async def _post(self, room: str, sender_id: int) -> None:
        key = f"{self._prefix}-{next(self._numbers)}"
        send = self._log.sends[key] = HostSend(key, room, f"text {key}")
        body = {"sender_id": sender_id, "content": send.content}
        path = f"/server/conversations/{room}/messages"
        for outcome in await self._ask("POST", path, body, idempotency_key=key, may_repeat=True):
            if outcome.data is not None:
                send.ids.add(outcome.data["id"])

    async def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any],
        *,
        idempotency_key: str | None = None,
        may_repeat: bool = False,
    ) -> list[Outcome]:
        """Returns the certain results of the request, which is sometimes made twice at the same time."""
        times = 2 if may_repeat and self._random.randrange(TWICE_ONE_IN) == 0 else 1

        async def ask() -> Outcome:
            return Outcome.of_reply(await self._gateway.call(method, path, self._key, body, idempotency_key))

        outcomes = await asyncio.gather(
            *(until_certain(ask, self._random, self._note_refusal) for _ in range(times))
        )
        for outcome in outcomes:
            self._note_refusal(outcome)
        return outcomes

    def _note_refusal(self, outcome: Outcome) -> None:
        if (outcome.is_certain and outcome.data is None) or outcome.code == "internal":
            self._log.refusals.append(outcome.code)

    async def _think(self) -> None:
        await asyncio.sleep(self._random.uniform(*THINK_S))
