"""What users do, and how often."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a user behaves; every field except the pause is a probability."""

    think_s: tuple[float, float] = (0.5, 1.5)
    by_rest: float = 0.2
    edits: float = 0.06
    deletes: float = 0.04
    reads: float = 0.05
    bursts: float = 0.05
    reacts: float = 0.1
    pins: float = 0.02
    files: float = 0.02
    searches: float = 0.03
    # Of the messages.
    mentions: float = 0.2
