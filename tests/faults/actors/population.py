"""Creates the users of a run, their devices and conversations, and the churn of their memberships."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from tests.e2e.hosts import new_key
from tests.faults.actors.behaviour import Behaviour
from tests.faults.actors.catch_up import METHODS
from tests.faults.actors.device import Backoff, Device
from tests.faults.actors.host import Host
from tests.faults.actors.membership_churn import MembershipChurn
from tests.faults.actors.probe import Probe
from tests.faults.actors.user import User
from tests.faults.injection.deployment import Deployment
from tests.faults.record.events import FrameReader
from tests.faults.record.history import History
from tests.waiting import until

ARRIVAL_S = 30.0
# Above 32 bits, and below the largest exact integer of a browser (2^53).
_USER_IDS = 2**52


@dataclass(frozen=True, slots=True)
class Population:
    """The numbers of users, devices and conversations. The first `churning` conversations have churn."""

    users: int = 60
    rooms: tuple[int, ...] = (60, 30, 16, 12, 8, 6, 4, 3, 2, 2)
    churning: int = 0
    # A user who is added again is told of changes to messages that were sent while they were out, which is
    # wrong. So nobody changes messages in conversations with churn, unless a campaign asks for it.
    has_edits_during_churn: bool = False
    devices: tuple[int, ...] = (1, 2)
    proxied: float = 0.3
    probes: int = 4
    hosts: int = 0
    methods: tuple[str, ...] = METHODS
    behaviour: Behaviour = field(default_factory=Behaviour)


@dataclass(frozen=True, slots=True)
class Actors:
    """The users of a run and everything that belongs to them."""

    history: History
    users: list[User]
    churns: list[MembershipChurn]
    probes: list[Probe]
    # Conversation -> its creator, who never leaves.
    owners: dict[str, User]
    hosts: list[Host]

    @property
    def all_users(self) -> list[User]:
        """All users, those of the probes included."""
        return [*self.users, *(user for probe in self.probes for user in probe.users)]

    @property
    def devices(self) -> list[Device]:
        """All devices of all users."""
        return [device for user in self.all_users for device in user.devices]

    def start(self, *, chatting: bool) -> None:
        """Starts the churn, and the chatting if asked for."""
        for churn in self.churns:
            churn.start()
        for host in self.hosts:
            host.start()
        for user in self.users if chatting else ():
            user.start()


@asynccontextmanager
async def connected_actors(
    deployment: Deployment, population: Population, random: Random
) -> AsyncIterator[Actors]:
    """Yields actors whose devices are all connected; nobody chats yet."""
    factory = _ActorFactory(deployment, population, random)
    actors = await factory.actors()
    try:
        for device in actors.devices:
            device.start()
        await until(lambda: all(device.is_up_to_date for device in actors.devices), ARRIVAL_S)
        yield actors
    finally:
        await asyncio.gather(*(churn.stop() for churn in actors.churns))
        await asyncio.gather(*(host.stop() for host in actors.hosts))
        await asyncio.gather(*(user.stop() for user in actors.all_users))


class _ActorFactory:
    def __init__(self, deployment: Deployment, population: Population, random: Random) -> None:
        self._deployment = deployment
        self._population = population
        self._random = random
        self._history = History()
        self._reader = FrameReader()
        # Not from the seed: no other test may use these ids.
        self._first_id = 1 + secrets.randbelow(_USER_IDS)

    async def actors(self) -> Actors:
        population, random = self._population, self._random
        ids = [self._first_id + number for number in range(population.users)]
        for size in population.rooms:
            await self._create(random.sample(ids, size))
        users = {user_id: self._user(user_id) for user_id in ids}
        owners = {room: users[members[0]] for room, members in self._history.members.items()}
        churns = [self._churn(room, owners[room]) for room in list(owners)[: population.churning]]
        probes = [await self._probe(number) for number in range(population.probes)]
        owners |= {probe.room: probe.users[0] for probe in probes}
        hosts = [await self._host() for _ in range(population.hosts)]
        return Actors(self._history, list(users.values()), churns, probes, owners, hosts)

    async def _create(self, members: list[int]) -> str:
        gateway = self._deployment.direct
        body = {"type": "group", "title": "a group", "participant_ids": members}
        reply = await gateway.call("POST", "/conversations", gateway.token(members[0]), body)
        assert reply.status == 201, reply
        room: str = reply.body["id"]
        self._history.members[room] = members
        return room

    def _user(self, user_id: int) -> User:
        population, random = self._population, self._random
        rooms = [room for room, members in self._history.members.items() if user_id in members]
        number = random.choice(population.devices)
        devices = [self._device((user_id, index), rooms) for index in range(number)]
        churning = list(self._history.members)[
            : 0 if population.has_edits_during_churn else population.churning
        ]
        owned = [room for room in rooms if self._history.members[room][0] == user_id]
        return User(devices, rooms, population.behaviour, Random(random.random()), churning, owned)

    def _device(self, device_id: tuple[int, int], rooms: list[str]) -> Device:
        random = self._random
        gateway = (
            self._deployment.proxied
            if random.random() < self._population.proxied
            else self._deployment.direct
        )
        method = random.choice(self._population.methods)
        return Device(device_id, gateway, rooms, method, self._history, self._reader, Random(random.random()))

    async def _host(self) -> Host:
        key = await asyncio.to_thread(new_key, self._deployment.stack.data_dir)
        host = Host(self._deployment.direct, key, self._history, Random(self._random.random()))
        await host.prepare()
        return host

    def _churn(self, room: str, owner: User) -> MembershipChurn:
        others = [user_id for user_id in self._history.members[room] if user_id != owner.user_id]
        random = Random(self._random.random())
        return MembershipChurn(owner.devices[0], room, others, self._deployment.tables, random)

    async def _probe(self, number: int) -> Probe:
        """Creates the two users of a recovery probe; they reconnect almost without a pause."""
        base = self._first_id + self._population.users + 2 * number
        room = await self._create([base, base + 1])
        users = [self._probe_user(user_id, room) for user_id in (base, base + 1)]
        return Probe(users[0], users[1], room, by_rest=bool(number % 2))

    def _probe_user(self, user_id: int, room: str) -> User:
        random = Random(self._random.random())
        backoff = Backoff(0.02, 0.1)
        method = self._random.choice(METHODS)
        device = Device(
            (user_id, 0),
            self._deployment.direct,
            [room],
            method,
            self._history,
            self._reader,
            random,
            backoff,
        )
        return User([device], [room], Behaviour(), random)
