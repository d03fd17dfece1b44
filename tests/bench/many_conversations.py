"""The workloads of users in many conversations: W4, users who return, and W7, a mixed day."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import usage
from tests.bench.generator import generating
from tests.bench.report import NAIVE
from tests.bench.seeding import Seeder
from tests.bench.workloads import Bench, Result


@dataclass(frozen=True)
class ManyConversations:
    """Runs these workloads against the server of a bench."""

    bench: Bench
    # W4: so many users return to each conversation, all of whom missed the same messages.
    rooms: int = 100
    absent: int = 50
    missed: int = 20
    # W7: (members, conversations). One conversation in twenty is lively.
    users: int = 2_000
    sizes: Sequence[tuple[int, int]] = ((1_000, 1), (100, 9), (10, 90), (2, 900))
    actions_per_s: int = 200
    day_s: float = 15

    async def returning(self) -> list[Result]:
        """W4: replays from the database and, where one user stayed, from the ring of the gateway."""
        results = [await self._returning("W4 from the database", 4_000_001, stay=False)]
        # The naive server has no ring.
        if self.bench.server.name != NAIVE:
            results.append(await self._returning("W4 from the ring", 4_100_001, stay=True))
        return results

    async def mixed_day(self) -> list[Result]:
        """W7: few users in lively conversations write, type and reconnect among many idle ones."""
        users = range(7_000_001, 7_000_001 + self.users)
        counts = [size for size, count in self.sizes for _ in range(count)]
        starts = [sum(counts[:number]) for number in range(len(counts))]
        members = [
            [users[(start + place) % len(users)] for place in range(size)]
            for start, size in zip(starts, counts, strict=True)
        ]
        rooms = await self._seeder.rooms(members)
        first = [counts.index(size) for size, _ in self.sizes]
        lively = {
            number
            for start, (_, count) in zip(first, self.sizes, strict=True)
            for number in range(start, start + max(1, count // 20))
        }
        rooms_file = self._seeder.rooms_file(users, rooms, lively)
        options = ["-r", str(self.actions_per_s), "-d", str(self.day_s)]
        options += ["-l"] if self.bench.server.name == NAIVE else []
        users_file = self._seeder.users_file(users)
        day = self.bench.programs.day
        return [
            await self.bench.measure(
                "W7 mixed day", "action", "actions", day, "mixed", (users_file, rooms_file), *options
            )
        ]

    @property
    def _seeder(self) -> Seeder:
        return Seeder(self.bench.server, self.bench.directory)

    async def _returning(self, workload: str, first: int, *, stay: bool) -> Result:
        stride = self.absent + 1
        members = [range(first + stride * room, first + stride * (room + 1)) for room in range(self.rooms)]
        rooms = await self._seeder.rooms(members)
        # Neighbours in the list are of different conversations, so few ask for the same one at the same time.
        absent = [room[place] for place in range(1, stride) for room in members]
        writers = self._seeder.users_file([room[0] for room in members])
        async with self._staying(writers) if stay else contextlib.nullcontext():
            await self._seeder.write(rooms, self.missed)
            files = (self._seeder.users_file(absent), self._seeder.rooms_file(absent, rooms))
            await usage.quiet(self.bench.server.roots)
            day = self.bench.programs.day
            return await self.bench.measure(workload, "return", "actions", day, "comeback", files)

    @contextlib.asynccontextmanager
    async def _staying(self, users_file: Path) -> AsyncIterator[None]:
        """Keeps sockets of these users open while it is open."""
        load, port = self.bench.programs.load, self.bench.server.port
        async with generating(load, "idle", port, users_file) as generator:
            yield
            await generator.close()
