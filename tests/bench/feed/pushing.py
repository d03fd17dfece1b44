"""The time from a message to its push: users write to others whose browsers have subscribed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp

from messenger_sdk import Server as Host
from messenger_shared.contract import tokens
from tests.bench.history.measure import percentile
from tests.bench.programs import BenchError
from tests.bench.servers import Server, embedded_stack
from tests.client import User
from tests.e2e.hosts import new_key
from tests.push.service import Browser, PushService, push_service

P99_MAX_S: Final = 3.5
_PER_S: Final = 100
_SECONDS: Final = 20
# So many that a conversation has no second message before its first is pushed: it would be the same push.
_PAIRS: Final = 500
_FIRST_USER: Final = 4_000_001
_WORKERS: Final = "gateway=1,chat-api=1,presence=1,feed=1"
_TOKEN_TTL_S: Final = 3_600
_ALL_PUSHED_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Pushed:
    """The seconds from each message's acknowledgement to its push, and how many messages had none."""

    seconds: list[float]
    missing: int

    @property
    def is_within_budget(self) -> bool:
        """Returns whether each message was pushed, and soon enough."""
        return not self.missing and percentile(self.seconds, 99) <= P99_MAX_S

    @property
    def line(self) -> str:
        """Returns the same as text."""
        p50, p99 = percentile(self.seconds, 50), percentile(self.seconds, 99)
        return (
            f"{_PER_S} messages a second: {len(self.seconds):,} pushed, {self.missing} not; "
            f"p50 {p50:.2f} s, p99 {p99:.2f} s after the message (at most {P99_MAX_S})"
        )


async def measure(directory: Path) -> Pushed:
    """Sends at the pace, and waits for the last push."""
    place = directory / "pushing"
    place.mkdir()
    async with (
        embedded_stack("pushing", place, _WORKERS) as server,
        push_service() as service,
        Host(f"http://127.0.0.1:{server.port}", new_key(place / "data")) as host,
    ):
        rooms = await _rooms(host)
        browsers = await _subscribe(server, service)
        sent = await _write(host, rooms)
        arrived = await _arrived(browsers, set(sent))
    late = [arrived[id_] - at for id_, at in sent.items() if id_ in arrived]
    return Pushed(late, len(sent) - len(late))


async def _rooms(host: Host) -> list[str]:
    """Puts users into pairs: those with even numbers write to those with odd ones."""
    users = range(_FIRST_USER, _FIRST_USER + 2 * _PAIRS)
    await host.put_users({"id": user, "name": f"User {user}"} for user in users)
    pairs = zip(users[::2], users[1::2], strict=True)
    made = [await host.ensure_conversation(f"pair-{one}", "direct", [one, other]) for one, other in pairs]
    return [room["id"] for room in made]


async def _subscribe(server: Server, service: PushService) -> list[Browser]:
    async with aiohttp.ClientSession() as http:
        url, browsers = f"http://127.0.0.1:{server.port}", []
        for user in range(_FIRST_USER + 1, _FIRST_USER + 2 * _PAIRS, 2):
            caller = User(http, url, user, tokens.mint(user, server.secret, _TOKEN_TTL_S))
            browser = service.browser()
            reply = await caller.call("PUT", "/push/subscriptions", body=browser.subscription())
            if reply.status != HTTPStatus.OK:
                raise BenchError(f"a subscription gave {reply.status}: {reply.body}")
            browsers.append(browser)
        return browsers


async def _write(host: Host, rooms: Sequence[str]) -> dict[str, float]:
    """Returns when each message was acknowledged, by its id."""
    sent: dict[str, float] = {}

    async def write(number: int) -> None:
        writer = _FIRST_USER + 2 * (number % _PAIRS)
        message = await host.send_message(rooms[number % _PAIRS], writer, f"Message {number}")
        sent[message["id"]] = time.time()

    started = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for number in range(_PER_S * _SECONDS):
            await asyncio.sleep(max(0.0, started + number / _PER_S - time.monotonic()))
            tasks.create_task(write(number))
    return sent


async def _arrived(browsers: Sequence[Browser], wanted: set[str]) -> dict[str, float]:
    """Returns when each message was pushed first, as far as they are within the deadline."""
    deadline = time.monotonic() + _ALL_PUSHED_S
    while True:
        found: dict[str, float] = {}
        for push in (push for browser in browsers for push in browser.arrived):
            found.setdefault(push.payload["message_id"], push.at)
        if wanted <= found.keys() or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.5)
