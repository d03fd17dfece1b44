"""Owns stand-ins for what is around presence: a voice that remembers, contacts as a test has them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from presence.ports import Contacts, Transition, Voice
from tests.presence.stores import Bench, brief, load


class RememberingVoice:
    """Says nothing, and knows what it was told to say."""

    def __init__(self) -> None:
        self.transitions: list[Transition] = []
        self.repeated: list[Transition] = []
        self.asked = 0

    def tell(self, transitions: Sequence[Transition]) -> None:
        assert transitions, "nothing happened, so nothing is told"
        self.transitions += transitions

    def repeat(self, transition: Transition) -> None:
        self.repeated.append(transition)

    def ask_reports(self) -> None:
        self.asked += 1

    def take(self) -> set[tuple[int, str]]:
        """What was told since the last time."""
        taken, self.transitions = self.transitions, []
        return brief(taken)


class KnownContacts:
    """Everybody in a circle shares a conversation with all others in it."""

    def __init__(self, *circles: Collection[int]) -> None:
        self.circles = circles
        self.pages = 0

    async def among(self, user_id: int, user_ids: Collection[int]) -> set[int]:
        return self._all(user_id).intersection(user_ids)

    async def page(self, user_id: int, after: int, limit: int) -> list[int]:
        self.pages += 1
        return sorted(user for user in self._all(user_id) if user > after)[:limit]

    def _all(self, user_id: int) -> set[int]:
        return set().union(*(circle for circle in self.circles if user_id in circle))


class Loading:
    """Loads the choices that there are, which are none, and counts."""

    def __init__(self, bench: Bench) -> None:
        self.times = 0
        self._bench = bench

    async def __call__(self) -> None:
        self.times += 1
        await load(self._bench)


_: tuple[type[Voice], type[Contacts]] = (RememberingVoice, KnownContacts)
