"""Names presence's keys in Redis. Channels such as presence:{user} are no keys, so they can't clash."""

from __future__ import annotations


class Keys:
    """The keys with one prefix."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.leases = f"{prefix}leases"
        self.sockets = f"{prefix}sockets"
        self.shown = f"{prefix}shown"
        self.leaving = f"{prefix}leaving"
        self.left = f"{prefix}left"
        self.marks = f"{prefix}marks"
        self.unwritten = f"{prefix}unwritten"
        # KEYS of the scripts, in their order; prelude.lua says what each key holds.
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

    def for_gateway(self, gateway: str) -> tuple[str, ...]:
        """The KEYS of a step on one gateway."""
        return (*self.common, f"{self._prefix}users:{gateway}")
