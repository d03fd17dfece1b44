"""Owns planting a bug: a copy of the product's sources with some lines of them changed, to be run instead."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.faults.campaigns import Campaign

ROOT = Path(__file__).parents[2]
_SOURCES = (
    "shared/src",
    "services/gateway/src",
    "services/chat-api/src",
    "services/presence/src",
    "deploy/local/src",
)
_BESIDE = ("deploy/gunicorn.conf.py",)


class Edit(NamedTuple):
    """In a file, by its path in the repository: what stands there once, and what shall stand there."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Bug:
    """It is caught when its campaign finds a violation of one of the `expected` kinds."""

    name: str
    campaign: Campaign
    expected: frozenset[str]
    edits: tuple[Edit, ...]


def bug(name: str, campaign: Campaign, expected: str, *edits: Edit) -> Bug:
    """`expected` has the kinds in one text; `budget` stands for what took too long."""
    return Bug(name, campaign, frozenset(expected.split()), edits)


class NotThere(AssertionError):
    """What a bug is planted over has changed: somebody has to look what the bug is now."""


def planted(edits: Iterable[Edit], place: Path) -> dict[str, str]:
    """Copies the product to `place` with the edits; the environment in which that copy runs."""
    for source in _SOURCES:
        shutil.copytree(ROOT / source, place / source, ignore=shutil.ignore_patterns("__pycache__"))
    for path in _BESIDE:
        shutil.copy(ROOT / path, place / path)
    for edit in edits:
        target = place / edit.path
        text = target.read_text()
        if text.count(edit.old) != 1:
            raise NotThere(f"{edit.path} has this {text.count(edit.old)} times, not once:\n{edit.old}")
        target.write_text(text.replace(edit.old, edit.new))
    return {"PYTHONPATH": os.pathsep.join(str(place / source) for source in _SOURCES)}
