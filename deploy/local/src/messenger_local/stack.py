"""Starts and stops the whole stack in order, and logs its progress."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from messenger_local.child import Child, ProcessSpec
from messenger_local.datadir import DataDir, why_not_free
from messenger_local.failure import StackError
from messenger_local.logline import Line, parse_service
from messenger_local.postgres import Postgres
from messenger_local.probe import is_ready, until
from messenger_local.processes import ProcessManager
from messenger_local.seeding import is_empty, seed
from messenger_local.services import (
    SERVICES,
    Address,
    StackContext,
    migration,
    remove_foreign_settings,
    service_spec,
)
from messenger_local.status import clear_status, write_status
from messenger_local.terminal import Terminal
from messenger_local.valkey import Valkey

# The last line of a start. The addresses are printed a moment earlier.
ALL_RUN = "all services run"
# For a service that hangs; one that exits is noticed earlier. Long, since the machine may be busy.
_READY_LIMIT_S = 180.0
# After a crash PostgreSQL first replays its log.
_RECOVERY_LIMIT_S = 300.0
_MIGRATION_LIMIT_S = 600.0
_PROGRESS_EVERY_S = 5.0
_EXITS_MAX = 3
_POLL_S = 0.1
# The whole stack must stop within 20 s, including the kill signals and the end of orphans.
_STOP_S = 16.5
# The services of one stage don't need each other, so they stop at the same time.
_STOP_STAGES = (("gateway",), ("feed", "presence", "chat-api"))
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `messenger up`."""

    data: DataDir
    gateway: Address
    workers: dict[str, int]
    # The user's own Redis servers, instead of the embedded ones.
    redis_url: str | None = None
    # Whether an empty database gets the demo.
    with_demo: bool = False


def run_stack(options: Options, terminal: Terminal) -> None:
    """Runs the stack until a stop signal. Raises StackError if it cannot start."""
    remove_foreign_settings()
    with options.data.opened():
        reason = why_not_free(options.gateway.host, options.gateway.port)
        if reason is not None:
            raise StackError(f"cannot listen on {options.gateway}: {reason}")
        asyncio.run(_Stack(options, terminal).run())


class _Stack:
    def __init__(self, options: Options, terminal: Terminal) -> None:
        self._options = options
        self._data = options.data
        self._terminal = terminal
        self._processes = ProcessManager()
        self._postgres = Postgres(options.data, self._processes)
        numbers = () if options.redis_url else range(1, options.workers["redis"] + 1)
        self._valkeys = [Valkey(options.data, number) for number in numbers]
        self._children: list[Child] = []
        self._started = time.monotonic()
        self._is_up = False
        self._context = StackContext(
            options.data,
            self._postgres.url,
            self._postgres.service_urls,
            options.redis_url or ",".join(valkey.url for valkey in self._valkeys),
            {
                service: options.redis_url
                or ",".join(valkey.service_urls[service] for valkey in self._valkeys)
                for service in SERVICES
            },
            options.gateway,
        )

    async def run(self) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, stop.set)
        start = asyncio.create_task(self._start())
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((start, stopped), return_when=asyncio.FIRST_COMPLETED)
            if start.done():
                await start
            await stopped
        finally:
            for task in (start, stopped):
                task.cancel()
            await asyncio.gather(start, stopped, return_exceptions=True)
            await self._stop()

    async def _start(self) -> None:
        self._data.signing_secret()
        await self._start_servers()
        for package in ("chat_api", "presence"):
            await self._migrate(package)
        await self._start_services()
        self._is_up = True
        self._write_status()
        if self._options.with_demo:
            await self._seed()
        self._print_addresses()
        await self._start_feed()
        self._log(ALL_RUN)

    async def _start_servers(self) -> None:
        if not self._data.postgres.exists():
            self._log("first start: creating the database")
        await self._postgres.initialise()
        self._log("starting postgres and redis" if self._valkeys else "starting postgres")
        postgres = self._add(self._postgres.spec())
        redis = [(self._add(valkey.spec()), valkey) for valkey in self._valkeys]
        for child, valkey in redis:
            await self._await_ready(child, valkey.ready())
        await self._await_ready(postgres, self._postgres.ready(), _RECOVERY_LIMIT_S)

    async def _migrate(self, package: str) -> None:
        self._log(f"running the migrations of {package.replace('_', '-')}")
        lines: list[Line] = []
        service = package.replace("_", "-")

        def on_line(text: str) -> None:
            lines.append(parse_service(text))
            self._terminal.show(service, lines[-1])

        try:
            command = migration(package, self._context)
            code = await self._processes.run(command, on_line, _MIGRATION_LIMIT_S)
        except TimeoutError:
            raise StackError(f"the migration of {service} took over {_MIGRATION_LIMIT_S:.0f} s") from None
        if code != 0:
            raise StackError(
                f"the migration of {service} failed: {_last_message(lines) or f'exit code {code}'}"
            )

    async def _start_services(self) -> None:
        self._log("starting chat-api, presence and gateway")
        started = [self._add_service(service) for service in ("chat-api", "presence", "gateway")]
        for child, ready in started:
            await self._await_ready(child, ready())

    async def _start_feed(self) -> None:
        """Starts the feed last, when users are served: they need it for nothing that can't wait a second."""
        if self._options.workers["feed"]:
            feed, ready = self._add_service("feed")
            await self._await_ready(feed, ready())

    def _add_service(self, service: str) -> tuple[Child, Callable[[], Awaitable[None]]]:
        """Starts a service. Returns its process, and what waits until it is ready."""
        address = self._options.gateway
        if service != "gateway":
            address = Address("127.0.0.1", self._data.port(service))
        spec = service_spec(service, address, self._options.workers[service], self._context)
        return self._add(spec), partial(until, partial(is_ready, address.reachable, address.port))

    async def _seed(self) -> None:
        """Adds the demo to an empty database."""
        redis_url = self._context.redis_url
        try:
            if await is_empty(redis_url):
                self._log("adding the people of the demo")
                await seed(self._options.gateway.url, redis_url)
        except Exception as error:
            # Whatever fails, the stack works without the demo.
            text = f"{str(error) or type(error).__name__}; `messenger seed-demo` adds what is missing"
            self._terminal.show("stack", Line("warning", text))

    def _add(self, spec: ProcessSpec) -> Child:
        child = Child(spec, self._processes, self._terminal, self._write_status)
        self._children.append(child)
        return child

    async def _await_ready(
        self, child: Child, ready: Awaitable[None], limit_s: float = _READY_LIMIT_S
    ) -> None:
        """Awaits `ready`, logs progress. Raises StackError after `limit_s` or if the child keeps ending."""
        task = asyncio.ensure_future(ready)
        begun = logged = time.monotonic()
        try:
            while not (await asyncio.wait((task,), timeout=_POLL_S))[0]:
                now = time.monotonic()
                if child.exits >= _EXITS_MAX or now > begun + limit_s:
                    raise StackError(_why_not_ready(child, limit_s))
                if now > logged + _PROGRESS_EVERY_S:
                    logged = now
                    self._log(f"waiting for {child.service} ({now - begun:.0f} s)")
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _stop(self) -> None:
        """Stops all in reverse order: no service loses its dependencies while it finishes its work."""
        clear_status(self._data)
        self._is_up = False
        by_name = {child.service: child for child in self._children}
        stages = [[by_name.pop(name) for name in stage if name in by_name] for stage in _STOP_STAGES]
        # Those that are left are the servers.
        await stop_in_stages([*stages, [*reversed(by_name.values())]], _STOP_S, self._log)
        await self._processes.end_orphans()
        self._log("stopped")

    def _write_status(self) -> None:
        if not self._is_up:
            return
        pids = {child.service: child.pid for child in self._children if child.pid is not None}
        try:
            write_status(
                self._data,
                url=self._options.gateway.url,
                database_url=self._context.database_url,
                redis_url=self._context.redis_url,
                pids=pids,
            )
        except StackError as error:
            # A full disk must not end the supervision.
            self._terminal.show("stack", Line("warning", str(error)))

    def _log(self, text: str) -> None:
        self._terminal.show("stack", Line("info", text))

    def _print_addresses(self) -> None:
        url = self._options.gateway.url
        self._log(f"ready in {time.monotonic() - self._started:.1f} s")
        self._terminal.print(
            f"\n  Messenger is at  {url}\n"
            f"  as user 1        {url}/?user_id=1\n"
            f"  as user 2        {url}/?user_id=2\n\n"
            f"  Ctrl-C stops it; the data stays in {self._data.root}\n"
        )


async def stop_in_stages(
    stages: Sequence[Sequence[Child]], limit_s: float, log: Callable[[str], None]
) -> None:
    """Stops one stage after the other, within `limit_s` seconds in total.

    A stage may use the time that earlier stages left. So on a busy machine, where all take longer, nothing is
    killed while the total is within the limit.
    """
    deadline = time.monotonic() + limit_s
    for number, stage in enumerate(stages):
        later_s = sum(
            max((child.stop_timeout_s for child in rest), default=0.0) for rest in stages[number + 1 :]
        )
        for child in stage:
            log(f"stopping {child.service}")
        stop_timeout_s = deadline - time.monotonic() - later_s
        await asyncio.gather(*(child.stop(stop_timeout_s) for child in stage))


def _why_not_ready(child: Child, limit_s: float) -> str:
    if child.exits >= _EXITS_MAX:
        problem = f"{child.service} ended {child.exits} times while starting"
    else:
        problem = f"{child.service} did not get ready within {limit_s:.0f} s"
    message = _last_message(child.tail)
    return f"{problem}; it last said: {message}" if message else problem


def _last_message(entries: Iterable[Line]) -> str:
    """The last line of the last error, or of the last entry: programs give their reason there."""
    lines = list(entries)
    errors = [line for line in lines if line.level == "error"]
    text = (errors or lines)[-1].text if lines else ""
    return text.splitlines()[-1] if text else ""
