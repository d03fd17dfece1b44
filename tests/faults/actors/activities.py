"""What users do instead of chatting, in campaigns that repeat one thing very often."""

from __future__ import annotations

import asyncio
from itertools import count
from random import Random

from tests.faults.actors.attempts import send_by_rest, send_by_socket
from tests.faults.actors.device import Device
from tests.faults.actors.population import Actors
from tests.faults.actors.repetition import Outcome, attempt_once
from tests.faults.actors.user import User
from tests.faults.record.history import Send

# How many messages of one user are under way at a time.
DEPTH = 8
ATTEMPTS_MAX = 5
BY_REST = 0.2
# One send in so many uses an earlier id for another text.
REUSED_ONE_IN = 20


async def order(actors: Actors, volume: int) -> None:
    """Everybody sends to one conversation as fast as answers come, several messages at a time."""
    await asyncio.gather(*(_send_many(user, volume) for user in actors.users))


async def _send_many(user: User, volume: int) -> None:
    [device], [room] = user.devices, user.rooms
    numbers = iter(range(volume))

    async def send_in_turn() -> None:
        for _ in numbers:
            send = user.new_send(room)
            await user.repeat_until_certain(
                send, lambda send=send: send_by_socket(device.current_connection(), send)
            )

    await asyncio.gather(*(send_in_turn() for _ in range(DEPTH)))


async def repeats(actors: Actors, volume: int) -> None:
    """Everybody tries each message one to five times at once, over any socket and over REST."""
    random = Random(volume)
    await asyncio.gather(*(_repeat(user, volume, Random(random.random())) for user in actors.users))


async def _repeat(user: User, volume: int, random: Random) -> None:
    for number in count(1):
        if number > volume:
            return
        send = user.new_send(random.choice(user.rooms))
        times = random.randint(1, ATTEMPTS_MAX)
        outcomes = await asyncio.gather(*(_attempt(user, send, random) for _ in range(times)))
        for outcome in outcomes:
            send.unknown += not outcome.is_certain
        while not any(outcome.is_certain for outcome in outcomes):
            await asyncio.sleep(random.uniform(0, 0.2))
            outcomes = [await _attempt(user, send, random)]
        for outcome in outcomes:
            if outcome.is_certain:
                user.conclude(send, outcome)
        if number % REUSED_ONE_IN == 0:
            await _reuse(user, send, random)


async def _attempt(user: User, send: Send, random: Random) -> Outcome:
    device: Device = random.choice(user.devices)
    if random.random() < BY_REST:
        return await attempt_once(lambda: send_by_rest(device, send))
    return await attempt_once(lambda: send_by_socket(device.current_connection(), send))


async def _reuse(user: User, send: Send, random: Random) -> None:
    """Sends the same id with another text: it must change nothing, and be answered with an error."""
    other = Send(send.key, send.room, f"not {send.content}", send.at)
    outcome = await _attempt(user, other, random)
    if outcome.is_certain and outcome.code != "idempotency_conflict":
        user.report_refusal(f"an id used again: {outcome.code or 'taken'}")
