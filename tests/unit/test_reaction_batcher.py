"""The batcher of reactions: what is stored together, its bound, and what happens when storing fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from chat_api import reaction_batcher
from chat_api.model import Reaction, ReactionVerdict
from chat_api.reaction_batcher import ReactionBatcher
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError


class Store:
    """Answers every reaction with `verdict`, or fails with `failure`."""

    def __init__(self) -> None:
        self.batches: list[list[Reaction]] = []
        self.verdict = "set"
        self.failure: Exception | None = None

    async def store(self, reactions: Sequence[Reaction]) -> list[ReactionVerdict]:
        self.batches.append(list(reactions))
        if self.failure is not None:
            raise self.failure
        return [ReactionVerdict(self.verdict, "c", len(self.batches), [], [one.emoji]) for one in reactions]


class Published:
    """Records what is published."""

    def __init__(self) -> None:
        self.reactions: list[tuple[str, int, int]] = []
        self.positions: list[int] = []

    def publish_reactions(
        self, conversation_id: str, message_id: str, pos: int, counts: Any, changes: Sequence[Reaction]
    ) -> None:
        self.reactions.append((message_id, pos, len(changes)))

    def publish_position(self, conversation_id: str, pos: int, user_ids: Any) -> None:
        self.positions.append(pos)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
async def batcher(
    store: Store, published: Published, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ReactionBatcher]:
    monkeypatch.setattr(reaction_batcher, "REACTION_INTERVAL_S", 0.05)
    batcher = ReactionBatcher(store, published)  # type: ignore[arg-type]
    await batcher.start()
    yield batcher
    await batcher.stop()


def reaction(user_id: int, message_id: str = "m") -> Reaction:
    return Reaction(message_id, user_id, "👍", True)


async def test_the_first_is_stored_at_once_and_those_of_the_interval_together(
    batcher: ReactionBatcher, store: Store, published: Published
) -> None:
    assert (await batcher.set(reaction(1)))["mine"] == ["👍"]
    await asyncio.gather(*(batcher.set(reaction(user)) for user in range(2, 60)))
    assert [len(batch) for batch in store.batches] == [1, 58]
    assert published.reactions == [("m", 1, 1), ("m", 2, 58)]


async def test_messages_share_a_batch_and_each_has_its_event(
    batcher: ReactionBatcher, store: Store, published: Published
) -> None:
    await asyncio.gather(batcher.set(reaction(1, "a")), batcher.set(reaction(1, "b")))
    assert [len(batch) for batch in store.batches] == [2]
    assert {message_id for message_id, _, _ in published.reactions} == {"a", "b"}


async def test_a_repeat_has_no_event_but_tells_the_position(
    batcher: ReactionBatcher, store: Store, published: Published
) -> None:
    store.verdict = "unchanged"
    await batcher.set(reaction(1))
    assert (published.reactions, published.positions) == ([], [1])


@pytest.mark.parametrize(
    ("failure", "kind"),
    [(AppError(errors.UNAVAILABLE), errors.UNAVAILABLE), (ValueError("a bug"), errors.INTERNAL)],
)
async def test_a_batch_that_fails_is_refused_and_the_next_one_is_stored(
    batcher: ReactionBatcher, store: Store, failure: Exception, kind: errors.ErrorKind
) -> None:
    store.failure = failure
    with pytest.raises(AppError) as refused:
        await batcher.set(reaction(1))
    assert refused.value.kind is kind
    store.failure = None
    assert await batcher.set(reaction(1))


@pytest.mark.parametrize("verdict", ["not_found", "not_member", "forbidden", "reaction_limit"])
async def test_a_refusal_has_its_code(batcher: ReactionBatcher, store: Store, verdict: str) -> None:
    store.verdict = verdict
    with pytest.raises(AppError) as refused:
        await batcher.set(reaction(1))
    assert refused.value.kind.code == verdict


async def test_there_is_a_bound_and_it_frees_itself(
    batcher: ReactionBatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaction_batcher, "MAX_WAITING_REACTIONS", 2)
    waiting = [batcher.set(reaction(user)) for user in (1, 2)]
    with pytest.raises(AppError) as refused:
        batcher.set(reaction(3))
    assert refused.value.kind is errors.OVERLOADED
    await asyncio.gather(*waiting)
    assert await batcher.set(reaction(3))


async def test_a_stop_stores_what_waits_and_refuses_the_rest(batcher: ReactionBatcher, store: Store) -> None:
    await batcher.set(reaction(1))
    waiting = batcher.set(reaction(2))
    await batcher.stop()
    assert waiting.done()
    assert [len(batch) for batch in store.batches] == [1, 1]
    with pytest.raises(AppError):
        batcher.set(reaction(3))


async def test_after_a_stall_the_waiting_are_not_stored_since_they_were_asked_for_elsewhere(
    batcher: ReactionBatcher, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaction_batcher, "REACTION_INTERVAL_S", 30.0)
    monkeypatch.setattr(reaction_batcher, "RETRY_ELSEWHERE_S", 0.05)
    await batcher.set(reaction(1))
    late = [batcher.set(reaction(2))]
    await asyncio.sleep(0.01)
    time.sleep(0.1)  # noqa: ASYNC251  (the whole process is stalled)
    late.append(batcher.set(reaction(3)))
    assert [type(error) for error in await asyncio.gather(*late, return_exceptions=True)] == [
        TimeoutError
    ] * 2
    assert [len(batch) for batch in store.batches] == [1]
