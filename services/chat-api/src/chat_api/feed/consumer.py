"""Defines what a consumer of the feed is: something with a name that handles changes of conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class Claim(NamedTuple):
    """A conversation that is the consumer's for now.

    The consumer is done with its changes up to `pos`, and there are more, up to `last_pos` at least.
    """

    conversation_id: str
    pos: int
    last_pos: int


class Lease(Protocol):
    """The right to handle a batch of conversations.

    It is renewed while the consumer works. It ends if this process stalls, and then somebody else may have
    the conversations: what was advanced by then stays, and nothing more is.
    """

    @property
    def token(self) -> str:
        """What the SQL functions ask for that advance cursors."""

    async def advance(self, positions: Mapping[str, int]) -> set[str]:
        """Moves the cursors of these conversations, gives them back, and returns which were still held."""


class Consumer(Protocol):
    """What happens with the changes of conversations. Each is told at least once, in the order of `pos`.

    A conversation is handled by one process at a time.
    """

    @property
    def name(self) -> str:
        """The name of its cursors. One that is new begins at the first change of each conversation."""

    @property
    def gather_s(self) -> float:
        """How long changes of a conversation may gather before they are handled together."""

    async def handle(self, claims: Sequence[Claim], lease: Lease) -> Mapping[str, int]:
        """Handles changes after each claim's `pos`, as many as it likes, and advances the cursors.

        A consumer with effects in this database advances in the transaction of these, and so handles each
        change exactly once. One with effects elsewhere advances afterwards.
        Returns the pos to which each conversation was advanced. What is missing there has failed, and comes
        again later. If anything raises, each conversation is tried alone, so that one holds up no other;
        AppError says that nothing works at present, and that all of them are to wait.
        """
