"""Many users who join at once give one event for all, by each way in which a gateway can learn of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from messenger_shared.bus import channels
from messenger_shared.contract.events import PARTICIPANT_ADDED, Event, joined
from tests.gateway.world import GatewayWorld, RecordingTransport, contents
from tests.waiting import until

MANY = (2, 3, 4)


@pytest.fixture
async def world() -> AsyncIterator[GatewayWorld]:
    world = GatewayWorld()
    await world.start()
    yield world
    await world.stop()


def added(socket: RecordingTransport) -> list[list[int]]:
    """Returns the users of each addition that the socket got."""
    frames = [frame for frame in socket.frames() if frame["type"] == PARTICIPANT_ADDED]
    return [[row["user_id"] for row in frame["users"]] for frame in frames]


WAYS: dict[str, Callable[[str], bool]] = {
    "both": lambda channel: False,
    "the conversation's channel alone": lambda channel: channel in map(channels.user, MANY),
    "the users' channels alone": lambda channel: channel == channels.conversation("c"),
    "high-water marks alone": lambda channel: (
        channel in [channels.conversation("c"), *map(channels.user, MANY)]
    ),
}


@pytest.mark.parametrize("is_known", [True, False], ids=["with a member here", "with none"])
@pytest.mark.parametrize("way", WAYS)
async def test_it_is_told_once_to_all_and_they_hear_what_follows(
    world: GatewayWorld, way: str, is_known: bool
) -> None:
    world.chat.create("c", 1)
    old = [await world.connect(1)] if is_known else []
    new = [await world.connect(user) for user in MANY]
    world.broker.drops = lambda channel, payload: WAYS[way](channel)
    world.chat.change_member("c", "added", *MANY)
    await until(lambda: set(MANY) <= set(world.hub.rooms["c"].members if "c" in world.hub.rooms else ()))
    await until(lambda: world.hub.rooms["c"].stream.last_pos == 2)
    world.broker.drops = lambda channel, payload: False
    world.chat.say("c", "hi")
    await until(lambda: all(contents(socket) == ["hi"] for socket in old + new))
    # A gateway that learns of new members only from the high-water marks sends these no event: they find the
    # conversation in their list, as a single new member does.
    by_high_water_marks = way == "high-water marks alone" or (
        not is_known and way == "the conversation's channel alone"
    )
    told = old if by_high_water_marks else old + new
    assert [added(socket) for socket in told] == [[list(MANY)]] * len(told)


async def test_what_each_is_told_apart_is_small_and_names_nobody_else(world: GatewayWorld) -> None:
    world.chat.create("c", 1)
    for user in (1, *MANY):
        await world.connect(user)
    sizes: dict[str, int] = {}

    def note(channel: str, payload: bytes) -> bool:
        sizes[channel] = max(sizes.get(channel, 0), len(payload))
        return False

    world.broker.drops = note
    world.chat.change_member("c", "added", *range(2, 1_002))
    await until(lambda: {channels.conversation("c"), *map(channels.user, MANY)} <= sizes.keys())
    assert max(sizes[channels.user(user)] for user in MANY) < 100
    assert 20_000 < sizes[channels.conversation("c")] < 64 * 1024


async def test_who_is_added_again_with_others_hears_nothing_of_the_time_between(world: GatewayWorld) -> None:
    world.chat.create("c", 1, 2)
    stays, goes = await world.connect(1), await world.connect(2)
    world.chat.change_member("c", "removed", 2)
    world.chat.say("c", "between")
    world.chat.change_member("c", "added", 2, 3)
    world.chat.say("c", "after")
    await until(lambda: contents(goes) == ["after"])
    assert contents(stays) == ["between", "after"]
    assert added(stays) == added(goes) == [[2, 3]]


@pytest.mark.parametrize(
    "frame", [b"{", b"{}", b'{"users":[]}', b'{"users":5}', b'{"users":[{"user_id":"x"}]}', b"[]"]
)
def test_an_addition_that_nobody_of_ours_made_adds_nobody(frame: bytes) -> None:
    assert joined(Event(PARTICIPANT_ADDED, "c", 2, 0, frame)) == {}
