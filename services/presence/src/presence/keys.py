"""Owns the names of presence's keys in Redis (channels such as presence:{user} are no keys: no clash)."""

from __future__ import annotations


class Keys:
    """The keys under one prefix."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.leases = f"{prefix}leases"
        self.sockets = f"{prefix}sockets"
        self.shown = f"{prefix}shown"
        self.leaving = f"{prefix}leaving"
        self.left = f"{prefix}left"
        self.marks = f"{prefix}marks"
        self.unwritten = f"{prefix}unwritten"
        # In the order in which the scripts know them.
        self.common = (
            self.leases,
            f"{prefix}numbers",
            self.sockets,
            f"{prefix}counts",
            self.shown,
            self.leaving,
            self.left,
            f"{prefix}choices",
            self.marks,
            self.unwritten,
        )

    def of(self, gateway: str) -> tuple[str, ...]:
        """All keys of a step on one gateway."""
        return (*self.common, f"{self._prefix}users:{gateway}")

    def claim(self, task: str) -> str:
        """Who does a task."""
        return f"{self._prefix}claim:{task}"
