"""Owns the workloads: what is run against a server, and what is read off it."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import usage
from tests.bench.arrangement import Arrangement
from tests.bench.generator import Generator, generating
from tests.bench.programs import Programs, send_reference_us
from tests.bench.servers import Server

CPU_US = "µs"
MEMORY_KIB = "KiB"


@dataclass(frozen=True)
class Sizes:
    """How big the workloads are."""

    fanout_sockets: int = 1_000
    fanout_messages: int = 200
    paced_per_s: float = 20
    durable_users: int = 200
    durable_s: float = 10
    idle_sockets: int = 2_000


@dataclass(frozen=True)
class Result:
    """What one workload cost on one server, per unit of work."""

    workload: str
    server: str
    unit: str
    measure: str
    units: int
    cost_by_service: Mapping[str, float]
    rate_per_s: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    send_us: float | None = None
    generator_us: float | None = None
    others_cores: float | None = None
    counted: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cost(self) -> float:
        """What all services together need for one unit."""
        return sum(self.cost_by_service.values())


@dataclass(frozen=True)
class Bench:
    """Runs workloads against one server."""

    server: Server
    programs: Programs
    directory: Path
    sizes: Sizes

    async def fan_out(self) -> list[Result]:
        """W1: everyone in one conversation gets what one of them writes, as fast as taken and at a pace."""
        users = range(1_000_001, 1_000_001 + self.sizes.fanout_sockets)
        users_file = await self._arrangement.group(users)
        messages = ("-m", str(self.sizes.fanout_messages))
        pace = ("-r", str(self.sizes.paced_per_s))
        return [
            await self._messages("W1 burst", "delivery", "deliveries", users_file, "fanout", *messages),
            await self._messages(
                "W1 paced", "delivery", "deliveries", users_file, "fanout", *messages, *pace
            ),
        ]

    async def durable(self) -> list[Result]:
        """W2: pairs in a closed loop, each message committed, acknowledged and received."""
        users = range(2_000_001, 2_000_001 + self.sizes.durable_users)
        users_file = await self._arrangement.pairs(users)
        options = ("-d", str(self.sizes.durable_s))
        return [await self._messages("W2 durable", "message", "acks", users_file, "durable", *options)]

    async def connect(self) -> list[Result]:
        """Connecting, and what an idle socket keeps in memory; each user has one conversation of two."""
        users = range(3_000_001, 3_000_001 + self.sizes.idle_sockets)
        users_file = await self._arrangement.pairs(users)
        await usage.quiet(self.server.roots)
        memory = usage.memory_kib(self.server.roots)
        before = usage.read(self.server.roots)
        async with self._generating("idle", users_file) as generator:
            spent = usage.read(self.server.roots).since(before)
            after = usage.memory_kib(self.server.roots)
            await generator.close()
        per_socket = {service: (after[service] - memory[service]) / len(users) for service in after}
        return [
            self._cpu_result("connect", "socket", len(users), spent, generator.ready),
            Result("idle", self.server.name, "socket", MEMORY_KIB, len(users), per_socket),
        ]

    @property
    def _arrangement(self) -> Arrangement:
        return Arrangement(self.server, self.directory)

    @contextlib.asynccontextmanager
    async def _generating(self, mode: str, users_file: Path, *options: str) -> AsyncIterator[Generator]:
        """The generator, when its sockets are open and what their coming set off (presence) is done."""
        async with generating(self.programs.load, mode, self.server.port, users_file, *options) as generator:
            await usage.quiet(self.server.roots)
            yield generator

    async def _messages(
        self, workload: str, unit: str, counter: str, users_file: Path, mode: str, *options: str
    ) -> Result:
        async with self._generating(mode, users_file, *options) as generator:
            before = usage.read(self.server.roots)
            counted = await generator.run()
            spent = usage.read(self.server.roots).since(before)
            await generator.close()
        counted["send_us"] = await send_reference_us(self.programs, counted["frame_bytes"])
        return self._cpu_result(workload, unit, counted[counter], spent, counted)

    def _cpu_result(
        self, workload: str, unit: str, units: int, spent: usage.Reading, counted: Mapping[str, Any]
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
            send_us=counted.get("send_us"),
            generator_us=counted["cpu_s"] * 1e6 / units,
            others_cores=spent.others_cores(counted["cpu_s"]),
            counted=counted,
        )
