"""Decides who may read a conversation."""

from chat_api.model import Membership
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError


def require_member(membership: Membership | None) -> Membership:
    """Returns the membership of a present member.

    Raises AppError(not_found) for a stranger, who must not learn whether the conversation exists, and
    AppError(not_member) for a user who has left: they know that it exists.
    """
    if membership is None:
        raise AppError(errors.NOT_FOUND)
    if membership.has_left:
        raise AppError(errors.NOT_MEMBER)
    return membership
