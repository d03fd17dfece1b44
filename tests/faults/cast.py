"""Owns who is on the stage: people with their devices, the conversations they are in, and who moves them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from tests.faults.device import Backoff, Device
from tests.faults.history import History
from tests.faults.mover import Mover
from tests.faults.person import Manner, Person
from tests.faults.probe import Pair
from tests.faults.returning import WAYS
from tests.faults.stage import Stage
from tests.faults.told import Reader
from tests.waiting import until

ARRIVAL_S = 30.0
# Above 32 bits, below what a browser's numbers hold.
_USER_IDS = 2**52


@dataclass(frozen=True, slots=True)
class Population:
    """How many, in conversations of which sizes, of which the first `moving` have comings and goings."""

    people: int = 60
    rooms: tuple[int, ...] = (60, 30, 16, 12, 8, 6, 4, 3, 2, 2)
    moving: int = 0
    # Who comes back is told of changes to what was said while he was away, which he should not be.
    changes_among_moving: bool = False
    devices: tuple[int, ...] = (1, 2)
    shaky: float = 0.3
    pairs: int = 4
    ways: tuple[str, ...] = WAYS
    manner: Manner = field(default_factory=Manner)


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody."""

    history: History
    people: list[Person]
    movers: list[Mover]
    pairs: list[Pair]
    # Conversation -> its creator, who never leaves.
    owners: dict[str, Person]

    @property
    def everybody(self) -> list[Person]:
        """The pairs' people too."""
        return [*self.people, *(person for pair in self.pairs for person in pair.people)]

    @property
    def devices(self) -> list[Device]:
        """All of all."""
        return [device for person in self.everybody for device in person.devices]

    def start(self, *, chatting: bool) -> None:
        """Lets them move, and chat."""
        for mover in self.movers:
            mover.start()
        for person in self.people if chatting else ():
            person.start()


@asynccontextmanager
async def gathered(stage: Stage, population: Population, random: Random) -> AsyncIterator[Cast]:
    """A cast whose devices are all here; nobody says anything yet."""
    casting = _Casting(stage, population, random)
    cast = await casting.cast()
    try:
        for device in cast.devices:
            device.start()
        await until(lambda: all(device.up for device in cast.devices), ARRIVAL_S)
        yield cast
    finally:
        await asyncio.gather(*(mover.stop() for mover in cast.movers))
        await asyncio.gather(*(person.stop() for person in cast.everybody))


class _Casting:
    def __init__(self, stage: Stage, population: Population, random: Random) -> None:
        self._stage = stage
        self._population = population
        self._random = random
        self._history = History()
        self._reader = Reader()
        # Not of the seed: nobody else may have them.
        self._first_id = 1 + secrets.randbelow(_USER_IDS)

    async def cast(self) -> Cast:
        population, random = self._population, self._random
        ids = [self._first_id + number for number in range(population.people)]
        for size in population.rooms:
            await self._create(random.sample(ids, size))
        people = {user_id: self._person(user_id) for user_id in ids}
        owners = {room: people[members[0]] for room, members in self._history.members.items()}
        movers = [self._mover(room, owners[room]) for room in list(owners)[: population.moving]]
        pairs = [await self._pair(number) for number in range(population.pairs)]
        owners |= {pair.room: pair.people[0] for pair in pairs}
        return Cast(self._history, list(people.values()), movers, pairs, owners)

    async def _create(self, members: list[int]) -> str:
        door = self._stage.door
        body = {"type": "group", "title": "a group", "participant_ids": members}
        reply = await door.call("POST", "/conversations", door.token(members[0]), body)
        assert reply.status == 201, reply
        room: str = reply.body["id"]
        self._history.members[room] = members
        return room

    def _person(self, user_id: int) -> Person:
        population, random = self._population, self._random
        rooms = [room for room, members in self._history.members.items() if user_id in members]
        number = random.choice(population.devices)
        devices = [self._device((user_id, index), rooms) for index in range(number)]
        moving = list(self._history.members)[: 0 if population.changes_among_moving else population.moving]
        return Person(devices, rooms, population.manner, Random(random.random()), moving)

    def _device(self, seat: tuple[int, int], rooms: list[str]) -> Device:
        random = self._random
        door = self._stage.shaky if random.random() < self._population.shaky else self._stage.door
        way = random.choice(self._population.ways)
        return Device(seat, door, rooms, way, self._history, self._reader, Random(random.random()))

    def _mover(self, room: str, owner: Person) -> Mover:
        others = [user_id for user_id in self._history.members[room] if user_id != owner.user_id]
        random = Random(self._random.random())
        return Mover(owner.devices[0], room, others, self._stage.tables, random)

    async def _pair(self, number: int) -> Pair:
        """Two who only see whether all works; they come back without much waiting."""
        base = self._first_id + self._population.people + 2 * number
        room = await self._create([base, base + 1])
        people = [self._prober(user_id, room) for user_id in (base, base + 1)]
        return Pair(people[0], people[1], room, by_rest=bool(number % 2))

    def _prober(self, user_id: int, room: str) -> Person:
        random = Random(self._random.random())
        backoff = Backoff(0.02, 0.1)
        way = self._random.choice(WAYS)
        device = Device(
            (user_id, 0), self._stage.door, [room], way, self._history, self._reader, random, backoff
        )
        return Person([device], [room], Manner(), random)
