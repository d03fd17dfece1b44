"""Owns who may look into a conversation."""

from chat_api.model import Membership
from messenger_shared import errors
from messenger_shared.errors import AppError


def require_member(membership: Membership | None) -> Membership:
    """The membership of a present member.

    Raises AppError: not_found for a stranger, as for a conversation that doesn't exist; not_member for one
    who has left, and knows anyway.
    """
    if membership is None:
        raise AppError(errors.NOT_FOUND)
    if membership.left:
        raise AppError(errors.NOT_MEMBER)
    return membership
