"""The table of rules: what each says, alone."""

from __future__ import annotations

from chat_api.push.rules import RULES, Facts, restored, skipped_by, stands_out, verdicts

ASIDE = Facts(
    user_id=2,
    sender_id=1,
    age_s=3.0,
    is_member=True,
    is_deactivated=False,
    is_deleted=False,
    is_read=False,
    is_muted=False,
    push_enabled=True,
    notify="all",
    is_mentioned=False,
    is_quiet=False,
    shown_seq=6,
    has_device=True,
    seq=7,
    is_looking=False,
)
# A change of the facts -> which rules say no to it.
CASES: list[tuple[dict[str, object], set[str]]] = [
    ({}, set()),
    ({"sender_id": 2}, {"sender"}),
    ({"sender_id": 0}, set()),
    ({"has_device": False}, {"no_device"}),
    ({"is_member": False}, {"not_a_member"}),
    ({"is_deactivated": True}, {"deactivated"}),
    ({"is_deleted": True}, {"deleted"}),
    ({"age_s": 601.0}, {"too_old"}),
    ({"age_s": 599.0}, set()),
    ({"age_s": 601.0, "is_retry": True}, set()),
    ({"age_s": 86_401.0, "is_retry": True}, {"too_old"}),
    ({"shown_seq": 8}, {"superseded"}),
    # It was pushed, and is pushed once more after a crash.
    ({"shown_seq": 7}, set()),
    ({"is_read": True}, {"read"}),
    ({"is_looking": True}, {"looking"}),
    ({"is_muted": True}, {"muted"}),
    ({"is_muted": True, "is_mentioned": True}, {"muted"}),
    ({"push_enabled": False}, {"push_disabled"}),
    ({"notify": "none"}, {"notify"}),
    ({"notify": "none", "is_mentioned": True}, {"notify"}),
    ({"notify": "mentions"}, {"notify"}),
    ({"notify": "mentions", "is_mentioned": True}, set()),
    ({"is_quiet": True}, {"quiet_hours"}),
    ({"sender_id": 2, "is_read": True}, {"sender", "read"}),
]


def test_each_rule_says_no_to_what_it_is_for_and_to_nothing_else() -> None:
    said_no = set()
    for change, expected in CASES:
        said = verdicts(ASIDE._replace(**change))  # type: ignore[arg-type]
        assert list(said) == [rule.name for rule in RULES]
        assert {name for name, verdict in said.items() if verdict == "skip"} == expected, change
        assert (skipped_by(said) is None) == (not expected)
        assert restored(stands_out(said)) == said
        said_no |= expected
    assert said_no == {rule.name for rule in RULES}


def test_who_may_be_looking_is_pushed() -> None:
    said = verdicts(ASIDE._replace(is_looking=None))
    assert said["looking"] == "unknown"
    assert skipped_by(said) is None
    assert restored(stands_out(said)) == said
