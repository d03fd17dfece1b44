"""Storing messages in real PostgreSQL: numbers, repeats, refusals, and many at once."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest

from chat_api import send_batcher
from chat_api.high_water_marks import HighWaterMarks
from chat_api.model import Draft, NewConversation
from chat_api.publisher import Publisher
from chat_api.send_batcher import SendBatcher
from chat_api.storage.conversations import PgConversations
from chat_api.storage.messages import PgMessages
from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import new_id
from messenger_shared.postgres.database import Database
from tests.databases import logged_in
from tests.waiting import LIMIT_S, until

ADMIN, MEMBER, OBSERVER, LEFT, STRANGER = 1, 2, 3, 4, 5


@pytest.fixture
def messages(database: Database) -> PgMessages:
    return PgMessages(database)


@pytest.fixture
async def group(database: Database) -> str:
    return await make(database, "group")


async def make(database: Database, type_: str) -> str:
    members = {ADMIN: "admin", MEMBER: "member", OBSERVER: "observer", LEFT: "member"}
    new = NewConversation(new_id(), type_, "title", ADMIN, members, None)
    assert await PgConversations(database).create(new) == (new.id, True)
    leave = "UPDATE messenger.conversation_participants SET left_at = now() WHERE user_id = %s"
    await database.rows(leave, (LEFT,), user_id=LEFT)
    return new.id


def draft(
    conversation_id: str,
    content: str = "hi",
    sender: int = MEMBER,
    client_id: str | None = None,
    id_: str | None = None,
    reply_to: str | None = None,
) -> Draft:
    return Draft(
        id_ or new_id(), conversation_id, sender, client_id, "text", content, None, None, None, reply_to
    )


async def test_numbers_follow_the_order_of_the_batch(messages: PgMessages, group: str) -> None:
    verdicts = await messages.store([draft(group, str(n)) for n in range(5)])
    assert [v.verdict for v in verdicts] == ["stored"] * 5
    assert [v.seq for v in verdicts] == [1, 2, 3, 4, 5]
    # The creation of the conversation has position 1.
    assert [v.pos for v in verdicts] == [2, 3, 4, 5, 6]
    page = await messages.page(group, MEMBER, 0, 10, forward=True)
    assert [m["content"] for m in page] == ["0", "1", "2", "3", "4"]
    assert page[0]["created_at"].endswith("Z")


async def test_a_bad_row_gets_its_own_verdict_and_spoils_nothing(messages: PgMessages, group: str) -> None:
    nowhere = str(uuid.uuid4())
    batch = [
        draft(group, "a"),
        draft(nowhere),
        draft(group, sender=STRANGER),
        draft(group, sender=LEFT),
        draft(group, sender=OBSERVER),
        draft(group, reply_to=nowhere),
        draft(group, "b"),
    ]
    verdicts = await messages.store(batch)
    assert [v.verdict for v in verdicts] == [
        *("stored", "not_found", "not_found", "not_member", "forbidden", "bad_reply", "stored")
    ]
    assert (verdicts[0].seq, verdicts[-1].seq) == (1, 2)


async def test_only_admins_write_in_an_announcement(database: Database, messages: PgMessages) -> None:
    place = await make(database, "announcement")
    verdicts = await messages.store([draft(place, sender=MEMBER), draft(place, sender=ADMIN)])
    assert [v.verdict for v in verdicts] == ["forbidden", "stored"]


async def test_a_repeat_is_found_and_takes_no_number(messages: PgMessages, group: str) -> None:
    first = draft(group, client_id="k")
    await messages.store([first])
    verdicts = await messages.store([draft(group, client_id="k"), draft(group, "next"), first])
    assert [v.verdict for v in verdicts] == ["repeat", "stored", "repeat"]
    assert verdicts[0].stored_id == verdicts[2].stored_id == first.id
    assert verdicts[1].seq == 2


async def test_a_repeat_within_one_batch_is_found(messages: PgMessages, group: str) -> None:
    first = draft(group, client_id="k")
    verdicts = await messages.store([first, draft(group, client_id="k"), draft(group, "x")])
    assert [v.verdict for v in verdicts] == ["stored", "repeat", "stored"]
    assert verdicts[1].stored_id == first.id
    assert verdicts[2].seq == 2


async def test_one_client_id_of_two_senders_is_two_messages(messages: PgMessages, group: str) -> None:
    verdicts = await messages.store([draft(group, client_id="k"), draft(group, client_id="k", sender=ADMIN)])
    assert [v.verdict for v in verdicts] == ["stored", "stored"]


async def test_a_repeat_into_another_conversation_is_found(
    database: Database, messages: PgMessages, group: str
) -> None:
    other = await make(database, "group")
    first = draft(group, client_id="k")
    await messages.store([first])
    [verdict] = await messages.store([draft(other, client_id="k")])
    assert (verdict.verdict, verdict.stored_id) == ("repeat", first.id)


async def test_one_id_at_once_from_many_workers_is_stored_once(messages: PgMessages, group: str) -> None:
    batches = [[draft(group, client_id=f"k{n}") for n in range(10)] for _ in range(8)]
    results = await asyncio.gather(*map(messages.store, batches))
    stored = [v for verdicts in results for v in verdicts if v.verdict == "stored"]
    assert sorted(v.seq for v in stored) == list(range(1, 11))
    assert len(await messages.page(group, MEMBER, 0, 100, forward=True)) == 10


async def test_the_same_client_id_in_two_conversations_at_once_is_one_message(
    database: Database, messages: PgMessages, group: str
) -> None:
    """Their locks don't meet, only the unique index does; the loser reads again."""
    other = await make(database, "group")
    for n in range(20):
        one, two = draft(group, client_id=f"k{n}"), draft(other, client_id=f"k{n}")
        [[first], [second]] = await asyncio.gather(messages.store([one]), messages.store([two]))
        assert sorted([first.verdict, second.verdict]) == ["repeat", "stored"]
    total = [len(await messages.page(place, MEMBER, 0, 100, forward=True)) for place in (group, other)]
    assert sum(total) == 20


async def test_numbers_have_no_holes_under_concurrency(messages: PgMessages, group: str) -> None:
    batches = [[draft(group, str(n)) for _ in range(7)] for n in range(40)]
    await asyncio.gather(*map(messages.store, batches))
    page = await messages.page(group, MEMBER, 0, 1_000, forward=True)
    assert [m["seq"] for m in page] == list(range(1, 281))
    assert [m["pos"] for m in page] == list(range(2, 282))


async def test_sending_moves_the_senders_own_read_position(
    database: Database, messages: PgMessages, group: str
) -> None:
    await messages.store([draft(group), draft(group, sender=ADMIN), draft(group)])
    positions = "SELECT user_id, last_read_seq FROM messenger.read_receipts ORDER BY 1"
    rows = await database.rows(positions, user_id=MEMBER)
    assert rows == [(ADMIN, 2), (MEMBER, 3)]


@pytest.mark.parametrize("text", ["'; DROP TABLE messenger.messages; --", "%s %(a)s", "\\", "😀\u202e", "{}"])
async def test_text_is_stored_verbatim(messages: PgMessages, group: str, text: str) -> None:
    await messages.store([draft(group, text)])
    assert [m["content"] for m in await messages.page(group, MEMBER, 0, 1, forward=True)] == [text]


async def test_a_request_that_is_asked_again_before_it_is_through_is_one(
    messages: PgMessages, group: str
) -> None:
    """As gateways do after a gap of the bus. In one batch, the two would block each other."""
    bus = MemoryBus(MemoryBroker(), "chat-api")
    batcher = SendBatcher(messages, Publisher(bus, HighWaterMarks(bus)))
    first, other = draft(group, "once"), draft(group, "another")
    answers = await asyncio.gather(*map(batcher.send, (first, other, first)))
    assert answers[0] == answers[2] != answers[1]
    assert [message["seq"] for message in await messages.page(group, MEMBER, 0, 10, True)] == [1, 2]


async def test_of_too_many_that_wait_the_newest_is_refused_and_the_others_are_stored(
    messages: PgMessages, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send_batcher, "MAX_WAITING", 3)
    bus = MemoryBus(MemoryBroker(), "chat-api")
    batcher = SendBatcher(messages, Publisher(bus, HighWaterMarks(bus)))
    taken = [batcher.send(draft(group, str(n))) for n in range(3)]
    with pytest.raises(AppError) as caught:
        batcher.send(draft(group, "too many"))
    assert caught.value.kind is errors.OVERLOADED
    assert caught.value.retry_after_ms
    await asyncio.gather(*taken)
    await batcher.send(draft(group, "later"))
    stored = await messages.page(group, MEMBER, 0, 10, forward=True)
    assert [message["content"] for message in stored] == ["0", "1", "2", "later"]


async def test_a_repeat_beside_a_first_one_that_is_refused_is_refused_in_the_same_way(
    messages: PgMessages, group: str
) -> None:
    """A client repeats its send through another gateway after it was removed: that is no conflict."""
    bus = MemoryBus(MemoryBroker(), "chat-api")
    batcher = SendBatcher(messages, Publisher(bus, HighWaterMarks(bus)))
    twice = [draft(group, "hi", LEFT, "k"), draft(group, "hi", LEFT, "k")]
    answers = await asyncio.gather(*map(batcher.send, twice), return_exceptions=True)
    assert [answer.kind for answer in answers if isinstance(answer, AppError)] == [errors.NOT_MEMBER] * 2


@pytest.fixture
async def batcher(chat_database_url: str) -> AsyncIterator[SendBatcher]:
    """With a connection for each batch that may be under way, and one more."""
    async with logged_in(chat_database_url, send_batcher.MAX_RUNNING_BATCHES + 1) as database:
        bus = MemoryBus(MemoryBroker(), "chat-api")
        yield SendBatcher(PgMessages(database), Publisher(bus, HighWaterMarks(bus)))


@contextmanager
def locked(database_url: str, *conversations: str) -> Iterator[None]:
    """Locks these conversations against every writer while it is open."""
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        ids = list(conversations)
        cursor.execute("SELECT FROM messenger.conversations WHERE id = ANY (%s::uuid[]) FOR UPDATE", (ids,))
        yield


async def test_a_conversation_that_is_locked_holds_up_itself_alone(
    database: Database, messages: PgMessages, batcher: SendBatcher, database_url: str
) -> None:
    here, there = await make(database, "group"), await make(database, "group")
    with locked(database_url, here):
        held = [batcher.send(draft(here, "first"))]
        # In a later turn, so that it is no part of the batch that hangs.
        await asyncio.sleep(0)
        held.append(batcher.send(draft(here, "second")))
        async with asyncio.timeout(LIMIT_S):
            await batcher.send(draft(there))
        assert not any(answer.done() for answer in held)
    await asyncio.gather(*held)
    stored = await messages.page(here, MEMBER, 0, 10, forward=True)
    assert [(message["seq"], message["content"]) for message in stored] == [(1, "first"), (2, "second")]


async def test_when_too_many_batches_hang_the_next_waits(
    database: Database, batcher: SendBatcher, database_url: str
) -> None:
    hanging = [await make(database, "group") for _ in range(send_batcher.MAX_RUNNING_BATCHES)]
    free = await make(database, "group")
    with locked(database_url, *hanging):
        held = []
        for conversation in hanging:
            held.append(batcher.send(draft(conversation)))
            await until(lambda: waiting_for_locks(database_url) == len(held))
        waiting = batcher.send(draft(free))
        await asyncio.wait([waiting], timeout=0.2)
        assert not waiting.done()
    await asyncio.gather(*held, waiting)


def waiting_for_locks(database_url: str) -> int:
    """Returns how many statements of this database wait for another one's lock."""
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        [(number,)] = cursor.fetchall()
        return int(number)
