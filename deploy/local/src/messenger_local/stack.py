"""Owns the order in which the stack starts and stops, and what it tells about that."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from functools import partial

from messenger_local.child import Child, Recipe
from messenger_local.datadir import DataDir, why_not_free
from messenger_local.failure import StackError
from messenger_local.family import Family
from messenger_local.logline import Line, parse_service
from messenger_local.postgres import Postgres
from messenger_local.probe import is_ready, until
from messenger_local.services import (
    SERVICES,
    Address,
    Surroundings,
    forget_foreign_settings,
    migration,
    service_recipe,
)
from messenger_local.status import clear_status, write_status
from messenger_local.terminal import Terminal
from messenger_local.valkey import Valkey

_READY_LIMIT_S = 60.0
# After a hard end PostgreSQL first replays its log.
_RECOVERY_LIMIT_S = 300.0
_MIGRATION_LIMIT_S = 600.0
_PROGRESS_EVERY_S = 5.0
_ENDINGS_MAX = 3
_WATCH_S = 0.1
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    data: DataDir
    gateway: Address
    workers: dict[str, int]
    # Somebody else's, which takes the place of the embedded one.
    redis_url: str | None = None


def run_stack(options: Options, terminal: Terminal) -> None:
    """Runs the stack until a signal asks for its end; StackError if it cannot start."""
    forget_foreign_settings()
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
        self._family = Family()
        self._postgres = Postgres(options.data, self._family)
        self._valkey = None if options.redis_url else Valkey(options.data)
        self._children: list[Child] = []
        self._started = time.monotonic()
        self._is_up = False
        redis_url = self._valkey.url if self._valkey else str(options.redis_url)
        self._around = Surroundings(
            options.data,
            self._postgres.url,
            self._postgres.service_urls,
            redis_url,
            self._valkey.service_urls if self._valkey else dict.fromkeys(SERVICES, redis_url),
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
        self._tell_status()
        self._announce()

    async def _start_servers(self) -> None:
        if not self._data.postgres.exists():
            self._say("first start: making the database")
        await self._postgres.initialise()
        self._say("starting postgres" if self._valkey is None else "starting postgres and redis")
        postgres = self._add(self._postgres.recipe())
        if self._valkey is not None:
            await self._await_ready(self._add(self._valkey.recipe()), self._valkey.ready())
        await self._await_ready(postgres, self._postgres.ready(), _RECOVERY_LIMIT_S)

    async def _migrate(self, package: str) -> None:
        self._say(f"bringing the database of {package.replace('_', '-')} up to date")
        said: list[Line] = []
        service = package.replace("_", "-")

        def hear(text: str) -> None:
            said.append(parse_service(text))
            self._terminal.show(service, said[-1])

        try:
            command = migration(package, self._around)
            code = await self._family.run(command, hear, _MIGRATION_LIMIT_S)
        except TimeoutError:
            raise StackError(f"the migration of {service} took over {_MIGRATION_LIMIT_S:.0f} s") from None
        if code != 0:
            raise StackError(f"the migration of {service} failed: {_last_words(said) or f'exit code {code}'}")

    async def _start_services(self) -> None:
        self._say("starting chat-api, presence and gateway")
        started = []
        for service in ("chat-api", "presence", "gateway"):
            address = self._options.gateway
            if service != "gateway":
                address = Address("127.0.0.1", self._data.port(service))
            recipe = service_recipe(service, address, self._options.workers[service], self._around)
            started.append((self._add(recipe), address))
        for child, address in started:
            await self._await_ready(child, until(partial(is_ready, address.reachable, address.port)))

    def _add(self, recipe: Recipe) -> Child:
        child = Child(recipe, self._family, self._terminal, self._tell_status)
        self._children.append(child)
        return child

    async def _await_ready(
        self, child: Child, ready: Awaitable[None], limit_s: float = _READY_LIMIT_S
    ) -> None:
        """Waits for `ready`, telling that it does; StackError if that is too long or the child won't live."""
        task = asyncio.ensure_future(ready)
        begun = told = time.monotonic()
        try:
            while not (await asyncio.wait((task,), timeout=_WATCH_S))[0]:
                now = time.monotonic()
                if child.endings >= _ENDINGS_MAX or now > begun + limit_s:
                    raise StackError(_why_not_ready(child, limit_s))
                if now > told + _PROGRESS_EVERY_S:
                    told = now
                    self._say(f"waiting for {child.service} ({now - begun:.0f} s)")
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _stop(self) -> None:
        """Stops all, the last started first: nobody loses what it leans on while it finishes its work."""
        clear_status(self._data)
        self._is_up = False
        for child in reversed(self._children):
            self._say(f"stopping {child.service}")
            await child.stop()
        await self._family.sweep()
        self._say("stopped")

    def _tell_status(self) -> None:
        if not self._is_up:
            return
        pids = {child.service: child.pid for child in self._children if child.pid is not None}
        try:
            write_status(
                self._data,
                url=self._options.gateway.url,
                database_url=self._around.database_url,
                redis_url=self._around.redis_url,
                pids=pids,
            )
        except StackError as error:
            # A full disk must not end the supervision.
            self._terminal.show("stack", Line("warning", str(error)))

    def _say(self, text: str) -> None:
        self._terminal.show("stack", Line("info", text))

    def _announce(self) -> None:
        url = self._options.gateway.url
        self._say(f"ready in {time.monotonic() - self._started:.1f} s")
        self._terminal.print(
            f"\n  Messenger is at  {url}\n"
            f"  as user 1        {url}/?user_id=1\n"
            f"  as user 2        {url}/?user_id=2\n\n"
            f"  Ctrl-C stops it; the data stays in {self._data.root}\n"
        )


def _why_not_ready(child: Child, limit_s: float) -> str:
    if child.endings >= _ENDINGS_MAX:
        problem = f"{child.service} ended {child.endings} times while starting"
    else:
        problem = f"{child.service} did not get ready within {limit_s:.0f} s"
    words = _last_words(child.tail)
    return f"{problem}; it last said: {words}" if words else problem


def _last_words(said: Iterable[Line]) -> str:
    """The last line of the worst that was said: there a program gives its reason."""
    lines = list(said)
    errors = [line for line in lines if line.level == "error"]
    text = (errors or lines)[-1].text if lines else ""
    return text.splitlines()[-1] if text else ""
