"""Tests what users may see of each other, over the in-memory store."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.presence_states import AWAY, INVISIBLE, OFFLINE, ONLINE
from presence import visibility
from presence.last_seen import LastSeen
from presence.ports import Choice
from presence.visibility import Visibility
from tests.presence.fakes import KnownContacts
from tests.presence.stores import MemoryHarness, changes, full, settle

NOON_MS = 1_764_158_400_000
NOON = "2025-11-26T12:00:00.000Z"
ME, ONLINE_ONE, AWAY_ONE, GONE, NEVER, HIDDEN, HIDING, STRANGER = range(1, 9)


class FakeLastSeen(LastSeen):
    """Everybody was last seen at noon, except those who never were."""

    def __init__(self) -> None:
        self.report_requests: list[int] = []

    async def read(self, user_ids: Collection[int]) -> dict[int, int]:
        self.report_requests += user_ids
        return dict.fromkeys(set(user_ids) - {NEVER}, NOON_MS)


@pytest.fixture
async def harness() -> MemoryHarness:
    harness = MemoryHarness()
    await settle(harness, Choice(HIDDEN, 1, True, False), Choice(HIDING, 1, False, True))
    await harness.store.report(full("a", 1, ME, ONLINE_ONE, HIDDEN, STRANGER, away=(AWAY_ONE,)))
    return harness


@pytest.fixture
def last_seen() -> FakeLastSeen:
    return FakeLastSeen()


@pytest.fixture
def seeing(harness: MemoryHarness, last_seen: FakeLastSeen) -> Visibility:
    return Visibility(harness.store, last_seen, KnownContacts(range(ME, STRANGER), {STRANGER}))


def row(user_id: int, status: str, last_seen_at: str | None = None) -> dict[str, object]:
    return {"user_id": user_id, "status": status, "last_seen_at": last_seen_at}


async def test_people_are_told_as_they_want_to_be_seen(seeing: Visibility) -> None:
    asked = [STRANGER, HIDING, HIDDEN, NEVER, GONE, AWAY_ONE, ONLINE_ONE, 99, ME, GONE]
    assert await seeing.visible_rows(ME, asked) == [
        row(HIDING, OFFLINE),
        row(HIDDEN, OFFLINE, NOON),
        row(NEVER, OFFLINE),
        row(GONE, OFFLINE, NOON),
        row(AWAY_ONE, AWAY),
        row(ONLINE_ONE, ONLINE),
        row(ME, ONLINE),
    ]


async def test_a_user_sees_himself_as_he_is(seeing: Visibility, harness: MemoryHarness) -> None:
    assert await seeing.get(HIDDEN, HIDDEN) == row(HIDDEN, INVISIBLE)
    await harness.store.report(changes("a", 2, closed=(HIDDEN,)))
    assert await seeing.get(HIDDEN, HIDDEN) == row(HIDDEN, OFFLINE)
    assert await seeing.get(STRANGER, STRANGER) == row(STRANGER, ONLINE)


async def test_who_hides_when_he_was_there_does_not_see_it_of_others(
    seeing: Visibility, last_seen: FakeLastSeen
) -> None:
    assert await seeing.visible_rows(HIDING, [GONE, ONLINE_ONE]) == [
        row(GONE, OFFLINE),
        row(ONLINE_ONE, ONLINE),
    ]
    assert last_seen.report_requests == []


@pytest.mark.parametrize("who", [STRANGER, 99])
async def test_a_stranger_and_nobody_are_not_found(seeing: Visibility, who: int) -> None:
    with pytest.raises(AppError) as refused:
        await seeing.get(ME, who)
    assert refused.value.kind is errors.NOT_FOUND


async def test_who_is_there_is_listed_in_pages_without_oneself(
    harness: MemoryHarness, last_seen: FakeLastSeen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visibility, "CONTACTS_PER_REQUEST", 3)
    monkeypatch.setattr(visibility, "MAX_REQUESTS_PER_PAGE", 2)
    contacts = KnownContacts(set(range(1, 30)) - {STRANGER})
    there = {2, 3, 9, 25}
    await harness.store.report(full("a", 2, ME, HIDDEN, *there - {3}, away=(3,)))
    seeing = Visibility(harness.store, last_seen, contacts)
    found, cursor, pages = [], None, 0
    while True:
        page = await seeing.online_page(ME, cursor, 2)
        found += page["items"]
        pages += 1
        assert len(page["items"]) <= 2
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == [row(2, ONLINE), row(3, AWAY), row(9, ONLINE), row(25, ONLINE)]
    # No page was read by more than its share.
    assert contacts.pages <= pages * 2


async def test_a_cursor_of_another_list_is_refused(seeing: Visibility) -> None:
    with pytest.raises(AppError) as refused:
        await seeing.online_page(ME, "WyJ4IiwxXQ", 10)
    assert refused.value.details == {"cursor": ["Not a cursor of this list."]}


async def test_a_gateway_is_told_how_users_are_seen_and_who_of_them_hides(seeing: Visibility) -> None:
    asked = [ONLINE_ONE, HIDDEN, GONE, HIDING]
    _, settled, rows = await seeing.states(asked, with_seen=False)
    assert settled
    assert rows == [
        (ONLINE, False, None),
        (OFFLINE, False, None),
        (OFFLINE, False, None),
        (OFFLINE, True, None),
    ]
    _, _, rows = await seeing.states(asked, with_seen=True)
    assert [seen for _, _, seen in rows] == [None, NOON_MS, NOON_MS, None]
