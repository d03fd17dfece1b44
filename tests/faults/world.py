"""Owns a small world: ten people who chat in three conversations, and how it comes to rest and is judged."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

from tests.client import Person
from tests.e2e.crowd import Crowd
from tests.faults.checker import Violation, check
from tests.faults.history import ARCHIVE, History, Kind
from tests.faults.virtual_client import VirtualClient
from tests.waiting import eventually, until

ROOM_SIZES = (10, 4, 2)
REST_S = 20.0
SEED_VARIABLE = "MESSENGER_FAULT_SEED"


class World:
    """Who is in it, and what they saw."""

    def __init__(
        self, clients: list[VirtualClient], members: dict[str, list[Person]], history: History
    ) -> None:
        self.clients = clients
        self.members = members
        self.history = history

    async def acks(self, number: int, timeout_s: float = REST_S) -> None:
        """Waits for so many acked sends more."""
        wanted = self.history.count(Kind.OK) + number
        await until(lambda: self.history.count(Kind.OK) >= wanted, timeout_s)

    async def rest_and_judge(self) -> list[Violation]:
        """Ends the chatting, lets everybody see the rest, reads what is stored, and returns what is wrong."""
        await asyncio.gather(*(client.fall_silent(REST_S) for client in self.clients))
        ends = {room: await self._read_archive(room, people[0]) for room, people in self.members.items()}
        # Who doesn't get there is found by the checker, which can tell what is missing.
        with suppress(AssertionError):
            await until(lambda: self._converged(ends), REST_S)
        return check(self.history.entries, self._ids())

    async def everyone_is_online(self) -> None:
        """Waits until presence says so of all that are here."""
        room, people = next(iter(self.members.items()))
        looker = await people[0].connect()
        wanted = sorted(person.user_id for person in people)

        async def they_are() -> bool:
            return (await looker.request("subscribe", conversation_id=room)).get("online") == wanted

        await eventually(they_are, REST_S)

    async def _read_archive(self, room: str, person: Person) -> int:
        last = 0
        while True:
            reply = await person.get(f"/conversations/{room}/messages", after_seq=last)
            assert reply.status == 200, reply
            for message in reply.body["items"]:
                self.history.delivered(ARCHIVE, message)
                last = message["seq"]
            if not reply.body["has_more"]:
                return last

    def _converged(self, ends: dict[str, int]) -> bool:
        return all(seq >= ends[room] for client in self.clients for room, seq in client.last_seq.items())

    def _ids(self) -> dict[str, list[int]]:
        return {room: [ARCHIVE, *(p.user_id for p in people)] for room, people in self.members.items()}


@asynccontextmanager
async def chatting(crowd: Crowd, random: Random) -> AsyncIterator[World]:
    """A world in which everybody has come and chats."""
    people, history = crowd.newcomers(max(ROOM_SIZES)), History()
    members = {}
    for size in ROOM_SIZES:
        inside = random.sample(people, size)
        members[await inside[0].create_group(*(person.user_id for person in inside))] = inside
    clients = []
    for person in people:
        rooms = [room for room, inside in members.items() if person in inside]
        clients.append(VirtualClient(person, rooms, history, Random(random.random())))
    try:
        for client in clients:
            client.start()
        await until(lambda: all(client.reconnects >= 0 for client in clients), REST_S)
        yield World(clients, members, history)
    finally:
        await asyncio.gather(*(client.stop() for client in clients))


def seeded() -> Random:
    """The randomness of a run; its seed is printed, and taken from the environment to run it again."""
    seed = int(os.environ.get(SEED_VARIABLE) or secrets.randbits(32))
    print(f"{SEED_VARIABLE}={seed}")
    return Random(seed)
