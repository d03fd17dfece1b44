"""Owns the rules for creating a conversation."""

from __future__ import annotations

from collections.abc import Iterable

from chat_api.model import NewConversation
from messenger_shared import errors
from messenger_shared.errors import AppError


def new_conversation(
    id_: str, type_: str, title: str | None, creator: int, participant_ids: Iterable[int]
) -> NewConversation:
    """The conversation that `creator` asks for; he and repeats count once.

    Raises AppError(invalid_frame): a direct has exactly two and no title, the others need a title.
    """
    others = dict.fromkeys(user for user in participant_ids if user != creator)
    if type_ == "direct":
        if len(others) != 1:
            raise _invalid("participant_ids", "A direct conversation has exactly one other participant.")
        if title is not None:
            raise _invalid("title", "A direct conversation has no title.")
        members = dict.fromkeys((creator, *others), "member")
        return NewConversation(id_, type_, None, creator, members, direct_key(creator, *others))
    if title is None or not title.strip():
        raise _invalid("title", "Missing data for required field.")
    return NewConversation(
        id_, type_, title, creator, {creator: "admin", **dict.fromkeys(others, "member")}, None
    )


def direct_key(one: int, other: int) -> str:
    """What two users' direct conversation is known by, whoever asks."""
    return f"{min(one, other)}:{max(one, other)}"


def _invalid(field: str, text: str) -> AppError:
    return AppError(errors.INVALID_FRAME, details={field: [text]})
