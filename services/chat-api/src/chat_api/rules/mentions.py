"""Decides whom a message mentions, and whom an edit mentions that the message didn't mention before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chat_api.model import MentionsData, MessageFacts
from chat_api.rules.permissions import ALLOWED, Action
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.schemas.mentions import mentioned_users


def wanted_mentions(body: Mapping[str, Any]) -> MentionsData | None:
    """Whom a request wants to mention, members or not; None for nobody."""
    mentions, entities = body.get("mentions"), body.get("entities")
    if mentions is None and entities is None:
        return None
    users, all_ = mentioned_users(body), bool((mentions or {}).get("all"))
    if not users and not all_:
        return None
    return {"mentions": {"user_ids": users, "all": all_}, "entities": entities or []}


def mentions_all(mentions: MentionsData | None) -> bool:
    """Whether all members are mentioned."""
    return mentions is not None and bool(mentions["mentions"]["all"])


def check_mention_all(facts: MessageFacts, *, is_crowd: bool) -> None:
    """Raises AppError(mention_all_refused) if there are too many members, or the caller's role may not."""
    if is_crowd or facts.role not in ALLOWED[facts.type][Action.MENTION_ALL]:
        raise AppError(errors.MENTION_ALL_REFUSED)


def added_mentions(before: MentionsData | None, after: MentionsData | None, sender_id: int) -> list[int]:
    """The users whom `after` names and `before` doesn't mention. Never the sender."""
    if after is None or mentions_all(before):
        return []
    known = {sender_id, *(before["mentions"]["user_ids"] if before else ())}
    return [user for user in after["mentions"]["user_ids"] if user not in known]
