"""The checklist is complete, and the tests that it names exist."""

from __future__ import annotations

from pathlib import Path

from tests.security.checklist import NOT_HERE, TRIED

ROOT = Path(__file__).parents[2]
ATTACKS = 152


def test_every_attack_is_tried_or_has_a_reason_why_not() -> None:
    tried = [number for rows in TRIED.values() for number in rows]
    assert sorted(tried + list(NOT_HERE)) == list(range(1, ATTACKS + 1))


def test_every_test_that_is_named_is_there() -> None:
    named = {name for rows in TRIED.values() for names in rows.values() for name in names}
    missing = []
    for name in sorted(named):
        path, _, function = name.partition("::")
        text = (ROOT / path).read_text() if (ROOT / path).is_file() else ""
        if not text or (function and f"def {function}(" not in text):
            missing.append(name)
    assert not missing
