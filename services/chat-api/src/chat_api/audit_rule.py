"""Defines a rule of the audit, and how its violations are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition on the data. `query` returns a row per violation, with the conversation first."""

    name: str
    query: str
    # The statement that corrects all violations; empty if the right value doesn't follow from other data.
    repair: str = ""


def violations(name: str, rows: Sequence[Sequence[Any]]) -> list[str]:
    """One line per violation of the rule, and one for all that are too many to show."""
    found = [f"violated: {name}: {', '.join(map(str, row))}" for row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        found.append(f"violated: {name}: {len(rows) - SHOWN} more")
    return found
