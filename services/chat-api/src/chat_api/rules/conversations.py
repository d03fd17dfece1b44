"""Checks and builds new conversations."""

from __future__ import annotations

from collections.abc import Iterable

from chat_api.model import NewConversation
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.text.blank import is_blank


def new_conversation(
    id_: str, type_: str, title: str | None, creator: int, participant_ids: Iterable[int]
) -> NewConversation:
    """The conversation to create. Repeated ids, and the creator's own, count once.

    Raises AppError(invalid_frame) unless a direct conversation names exactly one user and has no title, and
    any other has a title.
    """
    named = dict.fromkeys(participant_ids)
    others = [user for user in named if user != creator]
    if type_ == "direct":
        if title is not None:
            raise _invalid("title", "A direct conversation has no title.")
        return _direct(id_, creator, others or list(named))
    if title is None or is_blank(title):
        raise _invalid("title", "Missing data for required field.")
    return NewConversation(
        id_, type_, title, creator, {creator: "admin", **dict.fromkeys(others, "member")}, None
    )


def _direct(id_: str, creator: int, named: list[int]) -> NewConversation:
    """A direct conversation with another user, or with oneself (notes to self)."""
    if len(named) != 1:
        raise _invalid(
            "participant_ids", "A direct conversation has exactly one participant beside the caller."
        )
    members = dict.fromkeys((creator, *named), "member")
    return NewConversation(id_, "direct", None, creator, members, direct_key(creator, *named))


def direct_key(one: int, other: int) -> str:
    """The key of two users' direct conversation, the same for either order. Both may be the same user."""
    return f"{min(one, other)}:{max(one, other)}"


def _invalid(field: str, text: str) -> AppError:
    return AppError(errors.INVALID_FRAME, details={field: [text]})
