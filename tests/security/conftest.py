"""Fixtures of the attacks: users, and the raw connection for attacks on them."""

from __future__ import annotations

from tests.e2e.conftest import crowd

__all__ = ["crowd"]
