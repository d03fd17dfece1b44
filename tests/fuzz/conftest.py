"""Fixtures of the fuzz tests."""

from __future__ import annotations

from tests.e2e.conftest import crowd

__all__ = ["crowd"]
