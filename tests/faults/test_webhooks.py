"""A short campaign against webhooks and events: `make faults CAMPAIGN=webhooks` is the long one."""

from __future__ import annotations

from pathlib import Path

from tests.faults.webhooks import hear_everything

SECONDS = 8.0


async def test_hosts_hear_everything_whatever_fails(tmp_path: Path) -> None:
    print(await hear_everything(tmp_path / "data", SECONDS, conversations=10, per_s=50))
