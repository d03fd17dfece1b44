"""The feed with a real PostgreSQL: at least once, in order, by several processes, whatever stops one."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from chat_api.feed.agenda import Agenda
from chat_api.feed.cursors import FIRST_ID, PgCursors
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import new_id
from messenger_shared.postgres.database import Database
from tests.databases import logged_in
from tests.integration.following import NAME, Recorder, caught_up, conversations, following, move, run
from tests.waiting import until

SOON_S = 0.3


async def test_a_sweep_finds_what_no_mark_has_told(database: Database, database_url: str) -> None:
    ids = conversations(database_url, 120)
    recorder = Recorder()
    async with following(database, recorder, page=50):
        await caught_up(database)
    assert recorder.handled == {id_: [1] for id_ in ids}
    assert max(recorder.batches) <= 50


async def test_a_mark_is_followed_at_once(database: Database, database_url: str) -> None:
    [id_] = conversations(database_url, 1)
    recorder = Recorder()
    async with following(database, recorder) as follower:
        await caught_up(database)
        move(database_url, [id_], 2)
        follower.on_marks({id_: 3})
        await until(lambda: recorder.handled[id_] == [1, 2, 3])
        # Not before it is advanced too, and known to be.
        await until(lambda: follower._handled.get(id_) == 3)
        # chat-api repeats its marks for some seconds.
        follower.on_marks({id_: 3})
        assert len(follower._agenda) == 0


async def test_changes_gather_while_nobody_is_in_a_hurry(database: Database, database_url: str) -> None:
    [id_] = conversations(database_url, 1)
    recorder = Recorder()
    recorder.gather_s = SOON_S
    async with following(database, recorder) as follower:
        await caught_up(database)
        for pos in (2, 3, 4):
            move(database_url, [id_])
            follower.on_marks({id_: pos})
        await caught_up(database)
    assert recorder.handled[id_] == [1, 2, 3, 4]
    assert len(recorder.batches) == 2


async def test_several_share_the_work_in_order_and_without_doubling(
    chat_database_url: str, database_url: str
) -> None:
    ids = conversations(database_url, 200)
    recorders = [Recorder() for _ in range(3)]
    shared = recorders[0].handled
    async with contextlib.AsyncExitStack() as exits:
        followers = []
        for recorder in recorders:
            recorder.handled = shared
            recorder.may_go_on.clear()
            pool = await exits.enter_async_context(logged_in(chat_database_url))
            followers.append(await exits.enter_async_context(following(pool, recorder)))
        # Each has a batch while the others have theirs.
        await until(lambda: all(recorder.batches for recorder in recorders))
        for recorder in recorders:
            recorder.may_go_on.set()
        for number in range(10):
            moved = ids[number % 3 :: 3]
            await asyncio.to_thread(move, database_url, moved)
            for follower in followers:
                follower.on_marks(dict.fromkeys(moved, 100))
        await caught_up(pool)
    assert shared == {id_: list(range(1, len(shared[id_]) + 1)) for id_ in ids}
    assert sum(map(len, shared.values())) == 200 + sum(len(ids[number % 3 :: 3]) for number in range(10))


async def test_what_a_dead_process_had_is_taken_over_when_its_lease_ends(
    database: Database, database_url: str
) -> None:
    [id_] = conversations(database_url, 1)
    # Handled, as far as anybody knows, and never advanced.
    assert (await PgCursors(database, NAME).claim([id_], new_id(), SOON_S)).claims
    recorder = Recorder()
    async with following(database, recorder):
        await caught_up(database)
    assert recorder.handled[id_] == [1]


async def test_who_was_stopped_for_longer_than_the_lease_changes_nothing(
    database: Database, database_url: str
) -> None:
    [id_] = conversations(database_url, 1)
    cursors, token = PgCursors(database, NAME), new_id()
    assert (await cursors.claim([id_], token, SOON_S)).claims
    async with following(database, Recorder()):
        await caught_up(database)
    move(database_url, [id_], 5)
    assert await cursors.renew(token, [id_]) == set()
    assert await cursors.advance(token, {id_: 6}) == set()
    assert (await cursors.behind(FIRST_ID)).conversation_ids == [id_]
    assert run(database_url, "SELECT pos, lease FROM messenger.feed_cursors") == [(1, None)]


async def test_a_lease_that_is_renewed_stays(database: Database, database_url: str) -> None:
    [id_] = conversations(database_url, 1)
    cursors, token = PgCursors(database, NAME), new_id()
    await cursors.claim([id_], token, SOON_S)
    assert await cursors.renew(token, [id_], 60) == {id_}
    assert (await cursors.claim([id_], new_id())).busy[id_] > 50


async def test_a_conversation_that_fails_holds_up_no_other(database: Database, database_url: str) -> None:
    ids = conversations(database_url, 20)
    recorder = Recorder()
    # Together with the others, then alone twice.
    recorder.failing[ids[7]] = [ValueError("planted") for _ in range(3)]
    async with following(database, recorder):
        await until(lambda: len(recorder.handled) == 19)
        assert ids[7] not in recorder.handled
        await caught_up(database)
    assert recorder.handled == {id_: [1] for id_ in ids}


async def test_while_nothing_works_it_waits_and_loses_nothing(database: Database, database_url: str) -> None:
    ids = conversations(database_url, 60)
    recorder = Recorder()
    recorder.failing[ids[7]] = [AppError(errors.UNAVAILABLE) for _ in range(2)]
    async with following(database, recorder):
        await caught_up(database)
    assert recorder.handled == {id_: [1] for id_ in ids}


async def test_a_stop_ends_the_batch_and_gives_up_the_lease(database: Database, database_url: str) -> None:
    [id_] = conversations(database_url, 1)
    recorder = Recorder()
    recorder.may_go_on.clear()
    async with following(database, recorder) as follower:
        await until(lambda: recorder.batches)
        stopping = asyncio.create_task(follower.stop())
        await asyncio.sleep(0)
        recorder.may_go_on.set()
        await stopping
    assert recorder.handled[id_] == [1]
    assert run(database_url, "SELECT pos, lease FROM messenger.feed_cursors") == [(1, None)]


async def test_a_batch_that_is_cancelled_is_free_for_others(database: Database, database_url: str) -> None:
    conversations(database_url, 1)
    recorder = Recorder()
    recorder.may_go_on.clear()
    async with following(database, recorder) as follower:
        await until(lambda: recorder.batches)
        for task in follower._tasks:
            task.cancel()
    assert run(database_url, "SELECT pos, lease FROM messenger.feed_cursors") == [(0, None)]


async def test_a_backlog_waits_in_the_database(database: Database, database_url: str) -> None:
    ids = conversations(database_url, 30)
    recorder, agenda = Recorder(), Agenda(limit=5)
    async with following(database, recorder, agenda) as follower:
        follower.on_marks(dict.fromkeys(ids, 1))
        assert len(agenda) == 5
        await caught_up(database)
    assert recorder.handled == {id_: [1] for id_ in ids}
    assert max(recorder.batches) <= 5


@pytest.mark.parametrize("page", [1, 7, 1_000])
async def test_a_sweep_goes_through_all_pages(database: Database, database_url: str, page: int) -> None:
    ids = sorted(conversations(database_url, 21))
    cursors = PgCursors(database, NAME, page)
    done, token = ids[::2], new_id()
    await cursors.claim(done, token)
    await cursors.advance(token, dict.fromkeys(done, 1))
    after: str | None = FIRST_ID
    found = []
    while after is not None:
        [after, behind, _] = await cursors.behind(after)
        found += behind
    assert found == ids[1::2]
