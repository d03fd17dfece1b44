"""Owns the fixtures of the attacks: people, and the bare line that they are attacked from."""

from __future__ import annotations

from tests.e2e.conftest import crowd

__all__ = ["crowd"]
