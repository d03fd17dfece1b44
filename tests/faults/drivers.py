"""Owns what people do instead of chatting, in campaigns that are about a lot of one thing."""

from __future__ import annotations

import asyncio
from itertools import count
from random import Random

from tests.faults.asking import Outcome, attempted
from tests.faults.attempts import send_by_rest, send_by_socket
from tests.faults.cast import Cast
from tests.faults.device import Device
from tests.faults.history import Send
from tests.faults.person import Person

# Messages of one person that are under way at a time.
DEPTH = 8
ATTEMPTS_MAX = 5
BY_REST = 0.2
# Of so many sends, one id is used again for another text.
REUSED_ONE_IN = 20


async def order(cast: Cast, volume: int) -> None:
    """Everybody sends as fast as answers come into one conversation, several messages at a time."""
    await asyncio.gather(*(_pour(person, volume) for person in cast.people))


async def _pour(person: Person, volume: int) -> None:
    [device], [room] = person.devices, person.rooms
    numbers = iter(range(volume))

    async def one_after_the_other() -> None:
        for _ in numbers:
            send = person.begin(room)
            await person.see_through(send, lambda send=send: send_by_socket(device.open_line(), send))

    await asyncio.gather(*(one_after_the_other() for _ in range(DEPTH)))


async def repeats(cast: Cast, volume: int) -> None:
    """Everybody tries each message one to five times at once, over any socket and over REST."""
    random = Random(volume)
    await asyncio.gather(*(_repeat(person, volume, Random(random.random())) for person in cast.people))


async def _repeat(person: Person, volume: int, random: Random) -> None:
    for number in count(1):
        if number > volume:
            return
        send = person.begin(random.choice(person.rooms))
        times = random.randint(1, ATTEMPTS_MAX)
        outcomes = await asyncio.gather(*(_try(person, send, random) for _ in range(times)))
        for outcome in outcomes:
            send.unknown += not outcome.certain
        while not any(outcome.certain for outcome in outcomes):
            await asyncio.sleep(random.uniform(0, 0.2))
            outcomes = [await _try(person, send, random)]
        for outcome in outcomes:
            if outcome.certain:
                person.conclude(send, outcome)
        if number % REUSED_ONE_IN == 0:
            await _reuse(person, send, random)


async def _try(person: Person, send: Send, random: Random) -> Outcome:
    device: Device = random.choice(person.devices)
    if random.random() < BY_REST:
        return await attempted(lambda: send_by_rest(device, send))
    return await attempted(lambda: send_by_socket(device.open_line(), send))


async def _reuse(person: Person, send: Send, random: Random) -> None:
    """The same id with another text changes nothing, and is told."""
    other = Send(send.key, send.room, f"not {send.content}", send.at)
    outcome = await _try(person, other, random)
    if outcome.certain and outcome.code != "idempotency_conflict":
        person.complain(f"an id used again: {outcome.code or 'taken'}")
