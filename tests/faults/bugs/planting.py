"""Plants a bug: copies the product's sources, changes some lines, and runs the copy."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.faults.campaigns import Campaign

ROOT = Path(__file__).parents[3]
_SOURCES = (
    "shared/src",
    "services/gateway/src",
    "services/chat-api/src",
    "services/presence/src",
    "deploy/local/src",
)
_BESIDE = ("deploy/gunicorn.conf.py",)


class Edit(NamedTuple):
    """One change: the file's path in the repository, the text that stands there once, and its replacement."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Bug:
    """A planted bug, or several. The judge must find violations of one of the `expected` kinds, or of all."""

    name: str
    campaign: Campaign
    expected: frozenset[str]
    edits: tuple[Edit, ...]
    needs_all: bool = False

    def is_found_by(self, kinds: set[str]) -> bool:
        """Whether a run that found these kinds is enough."""
        return self.expected <= kinds if self.needs_all else bool(self.expected & kinds)


def bug(name: str, campaign: Campaign, expected: str, *edits: Edit) -> Bug:
    """Builds a Bug. `expected` lists the kinds in one text; `budget` stands for anything that is too slow."""
    return Bug(name, campaign, frozenset(expected.split()), edits)


def bugs(name: str, campaign: Campaign, expected: str, *edits: Edit) -> Bug:
    """Builds a Bug of several, each of which has a kind of its own in `expected`."""
    return Bug(name, campaign, frozenset(expected.split()), edits, needs_all=True)


class EditNotFound(AssertionError):
    """The source no longer holds the text that an edit replaces: adapt the planted bug."""


def planted(edits: Iterable[Edit], place: Path) -> dict[str, str]:
    """Copies the product to `place` with the edits; returns the environment in which the copy runs."""
    for source in _SOURCES:
        # With the compiled files, which stay valid: a copy keeps the times of the sources.
        shutil.copytree(ROOT / source, place / source)
    for path in _BESIDE:
        shutil.copy(ROOT / path, place / path)
    for edit in edits:
        target = place / edit.path
        text = target.read_text()
        if text.count(edit.old) != 1:
            raise EditNotFound(f"{edit.path} has this {text.count(edit.old)} times, not once:\n{edit.old}")
        target.write_text(text.replace(edit.old, edit.new))
    return {"PYTHONPATH": os.pathsep.join(str(place / source) for source in _SOURCES)}
