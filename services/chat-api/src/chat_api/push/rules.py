"""The rules that decide whether a message is pushed to a user, as one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

# So long after a message it is pushed: who is there reads it meanwhile.
DELAY_S: Final = 3.0
# After these, a message isn't pushed any more: behind a backlog, and when a push is tried again.
TOO_OLD_S: Final = 600.0
TTL_S: Final = 86_400.0

Verdict = Literal["push", "skip", "unknown"]


class Facts(NamedTuple):
    """What the rules ask about a message and a user. `is_looking` is None if it isn't known."""

    user_id: int
    sender_id: int
    age_s: float
    is_member: bool
    is_deactivated: bool
    is_deleted: bool
    is_read: bool
    is_muted: bool
    push_enabled: bool
    notify: str
    is_mentioned: bool
    is_quiet: bool
    # The newest message of the conversation that the user was pushed; 0 if none.
    shown_seq: int
    has_device: bool
    seq: int = 0
    # Whether it is tried again for a device that it couldn't be pushed to.
    is_retry: bool = False
    is_looking: bool | None = None


class Rule(NamedTuple):
    """A rule: its name, and whether it says that the message isn't pushed. None: that can't be told."""

    name: str
    skips: Callable[[Facts], bool | None]


LOOKING: Final = "looking"
RULES: Final = (
    Rule("sender", lambda f: f.user_id == f.sender_id),
    Rule("no_device", lambda f: not f.has_device),
    Rule("not_a_member", lambda f: not f.is_member),
    Rule("deactivated", lambda f: f.is_deactivated),
    Rule("deleted", lambda f: f.is_deleted),
    Rule("too_old", lambda f: f.age_s > (TTL_S if f.is_retry else TOO_OLD_S)),
    Rule("superseded", lambda f: f.shown_seq > f.seq),
    Rule("read", lambda f: f.is_read),
    Rule("muted", lambda f: f.is_muted),
    Rule("push_disabled", lambda f: not f.push_enabled),
    Rule("notify", lambda f: f.notify == "none" or (f.notify == "mentions" and not f.is_mentioned)),
    Rule("quiet_hours", lambda f: f.is_quiet),
    Rule(LOOKING, lambda f: f.is_looking),
)
_UNKNOWN: Final = "?"


def verdicts(facts: Facts) -> dict[str, Verdict]:
    """What each rule says, in the order of the table."""
    return {rule.name: _verdict(rule.skips(facts)) for rule in RULES}


def stands_out(verdicts: Mapping[str, Verdict]) -> list[str]:
    """What is stored of verdicts: the rules that say `skip`, and with a `?` those that are unknown."""
    said = {"skip": "", "unknown": _UNKNOWN}
    return [said[verdict] + name for name, verdict in verdicts.items() if verdict in said]


def restored(stored: Sequence[str]) -> dict[str, Verdict]:
    """The verdicts again."""
    known = set(stored)
    return {
        rule.name: "skip" if rule.name in known else "unknown" if _UNKNOWN + rule.name in known else "push"
        for rule in RULES
    }


def skipped_by(verdicts: Mapping[str, Verdict]) -> str | None:
    """The first rule that says `skip`; None if the message is pushed."""
    return next((name for name, verdict in verdicts.items() if verdict == "skip"), None)


def _verdict(skips: bool | None) -> Verdict:
    if skips is None:
        return "unknown"
    return "skip" if skips else "push"
