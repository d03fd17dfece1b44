"""The workloads on one server, W1 to W3 and W2 under rising load, and their results."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.bench import usage
from tests.bench.generator import Generator, generating
from tests.bench.programs import Programs, send_reference_us
from tests.bench.seeding import Seeder
from tests.bench.servers import Server

CPU_US = "µs"
MEMORY_KIB = "KiB"
LOAD = "W2 at load"
WARMING_SOCKETS = 50


@dataclass(frozen=True)
class Sizes:
    """The sizes of the workloads."""

    fanout_sockets: int = 1_000
    fanout_messages: int = 200
    paced_per_s: float = 20
    paced_s: float = 10
    durable_users: int = 200
    durable_s: float = 10
    idle_sockets: int = 10_000
    load_pairs: tuple[int, ...] = (1, 4, 16, 64, 256)
    load_s: float = 3


@dataclass(frozen=True)
class Result:
    """The cost of one workload on one server, per unit of work."""

    workload: str
    server: str
    unit: str
    measure: str
    units: int
    cost_by_service: Mapping[str, float]
    rate_per_s: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    p999_ms: float | None = None
    # Of all server processes together, while the sockets are open.
    memory_mib: float | None = None
    send_us: float | None = None
    generator_us: float | None = None
    others_cores: float | None = None
    # How many users write at once, for a workload that runs at several loads.
    load: int | None = None
    # In a series of runs: the cost as a multiple of the first run's.
    growth: float | None = None
    counted: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cost(self) -> float:
        """Returns the cost of one unit for all services together."""
        return sum(self.cost_by_service.values())


@dataclass(frozen=True)
class Bench:
    """Runs workloads against one server."""

    server: Server
    programs: Programs
    directory: Path
    sizes: Sizes
    # Whether a bare send() is measured after each run.
    with_reference: bool = True

    async def fan_out(self) -> list[Result]:
        """W1: everyone in one conversation gets what one user writes, first as fast as possible, then at a
        pace.
        """
        return [await self.burst(), await self.paced()]

    async def burst(self) -> Result:
        """W1 as fast as the writer's socket is answered."""
        return await self._fan_out("W1 burst", self.sizes.fanout_messages)

    async def paced(self) -> Result:
        """W1 at a fixed number of messages a second."""
        pace = self.sizes.paced_per_s
        return await self._fan_out("W1 paced", round(pace * self.sizes.paced_s), "-r", str(pace))

    async def durable(self) -> list[Result]:
        """W2: pairs in a closed loop, each message committed, acknowledged and received."""
        return [await self.sends()]

    async def sends(self) -> Result:
        """W2 at its one size."""
        return await self._durable("W2 durable", self.sizes.durable_users, self.sizes.durable_s)

    async def load(self) -> list[Result]:
        """W2 with more and more pairs: the cost and latency of a message at each rate."""
        return [
            replace(await self._durable(LOAD, 2 * pairs, self.sizes.load_s), load=2 * pairs)
            for pairs in self.sizes.load_pairs
        ]

    async def idle(self) -> list[Result]:
        """W3: connecting, and the memory of an idle socket; each user has one conversation of two."""
        users = range(3_000_001, 3_000_001 + self.sizes.idle_sockets)
        users_file = await self.seeder.pairs(users)
        await self._warm_up(users_file)
        await usage.quiet(self.server.roots)
        memory = usage.memory_kib(self.server.roots)
        before = usage.read(self.server.roots)
        async with self._generating(self.programs.load, "idle", (users_file,)) as generator:
            spent = usage.read(self.server.roots).since(before)
            after = usage.memory_kib(self.server.roots)
            await generator.close()
        per_socket = {service: (after[service] - memory[service]) / len(users) for service in after}
        return [
            self._cpu_result("W3 connect", "socket", len(users), spent, generator.ready, after),
            Result("W3 idle", self.server.name, "socket", MEMORY_KIB, len(users), per_socket),
        ]

    async def _warm_up(self, users_file: Path) -> None:
        """Opens a few sockets first, so that a worker's one-time memory isn't charged to the measured
        sockets.
        """
        few = _beginning(users_file, WARMING_SOCKETS)
        async with self._generating(self.programs.load, "idle", (few,)) as generator:
            await generator.close()

    @property
    def seeder(self) -> Seeder:
        """Creates the workload's conversations."""
        return Seeder(self.server, self.directory)

    async def _fan_out(self, workload: str, messages: int, *options: str) -> Result:
        users = range(1_000_001, 1_000_001 + self.sizes.fanout_sockets)
        users_file = await self.seeder.group(users)
        options = ("-m", str(messages), *options)
        return await self._messages(workload, "delivery", "deliveries", "fanout", users_file, *options)

    async def _durable(self, workload: str, users: int, seconds: float) -> Result:
        users_file = await self.seeder.pairs(range(2_000_001, 2_000_001 + users))
        return await self._messages(workload, "message", "acks", "durable", users_file, "-d", str(seconds))

    async def _messages(
        self, workload: str, unit: str, counter: str, mode: str, users_file: Path, *options: str
    ) -> Result:
        return await self.measure(workload, unit, counter, self.programs.load, mode, (users_file,), *options)

    async def measure(
        self,
        workload: str,
        unit: str,
        counter: str,
        program: Path,
        mode: str,
        files: Sequence[Path],
        *options: str,
    ) -> Result:
        """Measures one run of a generator, once its sockets are open and the work of connecting is done."""
        async with self._generating(program, mode, files, *options) as generator:
            before = usage.read(self.server.roots)
            counted = await generator.run()
            spent = usage.read(self.server.roots).since(before)
            memory = usage.memory_kib(self.server.roots)
            await generator.close()
        if self.with_reference:
            counted["send_us"] = await send_reference_us(self.programs, counted["frame_bytes"])
        return self._cpu_result(workload, unit, counted[counter], spent, counted, memory)

    @contextlib.asynccontextmanager
    async def _generating(
        self, program: Path, mode: str, files: Sequence[Path], *options: str
    ) -> AsyncIterator[Generator]:
        options = (*options, *self.server.generator_options)
        async with generating(program, mode, self.server.port, *files, options=options) as generator:
            await usage.quiet(self.server.roots)
            yield generator

    def _cpu_result(
        self,
        workload: str,
        unit: str,
        units: int,
        spent: usage.Reading,
        counted: Mapping[str, Any],
        memory: Mapping[str, int],
    ) -> Result:
        return Result(
            workload,
            self.server.name,
            unit,
            CPU_US,
            units,
            {service: used * 1e6 / units for service, used in spent.by_service.items()},
            rate_per_s=units / counted["seconds"],
            p50_ms=counted["p50_us"] / 1e3,
            p99_ms=counted["p99_us"] / 1e3,
            p999_ms=counted["p999_us"] / 1e3,
            memory_mib=sum(memory.values()) / 1024,
            send_us=counted.get("send_us"),
            generator_us=counted["cpu_s"] * 1e6 / units,
            others_cores=spent.others_cores(counted["cpu_s"]),
            counted=counted,
        )


def _beginning(file: Path, lines: int) -> Path:
    found = file.with_name(f"{file.name}-{lines}")
    found.write_text("".join(file.read_text().splitlines(keepends=True)[:lines]))
    return found
