"""Derives the settings to write from a change of notification settings."""

from __future__ import annotations

from typing import Any

_FIELDS = ("muted", "muted_until", "push_enabled", "email_enabled", "notify")


def wanted_settings(body: dict[str, Any]) -> dict[str, Any]:
    """The settings to write. Missing ones stay as they are. `muted_until` alone also sets `muted`."""
    wanted = {name: body[name] for name in _FIELDS if name in body}
    if "muted" not in wanted and "muted_until" in wanted:
        wanted["muted"] = wanted["muted_until"] is not None
    if not wanted.get("muted", True):
        wanted["muted_until"] = None
    return wanted
