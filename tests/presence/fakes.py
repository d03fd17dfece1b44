"""Fakes of what presence calls: a publisher that records, contacts that a test defines, and a loader."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from presence.ports import Contacts, Transition, TransitionPublisher
from tests.presence.stores import StoreHarness, as_set, load


class RecordingPublisher:
    """Publishes nothing, and records what it should publish."""

    def __init__(self) -> None:
        self.transitions: list[Transition] = []
        self.republished: list[Transition] = []
        self.report_requests = 0

    def publish(self, transitions: Sequence[Transition]) -> None:
        assert transitions, "nothing happened, so nothing is told"
        self.transitions += transitions

    def republish(self, transition: Transition) -> None:
        self.republished.append(transition)

    def request_reports(self) -> None:
        self.report_requests += 1

    def take(self) -> set[tuple[int, str]]:
        """Returns what was published since the last call."""
        taken, self.transitions = self.transitions, []
        return as_set(taken)


class KnownContacts:
    """Every user in a group shares a conversation with all others in it."""

    def __init__(self, *groups: Collection[int]) -> None:
        self.groups = groups
        self.pages = 0

    async def among(self, user_id: int, user_ids: Collection[int]) -> set[int]:
        return self._all(user_id).intersection(user_ids)

    async def page(self, user_id: int, after: int, limit: int) -> list[int]:
        self.pages += 1
        return sorted(user for user in self._all(user_id) if user > after)[:limit]

    def _all(self, user_id: int) -> set[int]:
        return set().union(*(group for group in self.groups if user_id in group))


class ChoiceLoader:
    """Loads an empty set of choices, and counts the loads."""

    def __init__(self, harness: StoreHarness) -> None:
        self.times = 0
        self._harness = harness

    async def __call__(self) -> None:
        self.times += 1
        await load(self._harness)


_: tuple[type[TransitionPublisher], type[Contacts]] = (RecordingPublisher, KnownContacts)
