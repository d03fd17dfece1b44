"""The command line: `python -m tests.faults [CAMPAIGN] [--scale N]`. Exits with 1 for a broken promise."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

import uvloop

from tests.faults.campaigns import CAMPAIGNS, SECONDS
from tests.faults.judge.table import table
from tests.faults.running import run
from tests.faults.seeds import VARIABLE, chosen_seed
from tests.faults.webhooks import hear_everything

# It has no users with sockets, so it is none of the others.
WEBHOOKS = "webhooks"


async def hear_with_webhooks(scale: float) -> str:
    """Runs the campaign against webhooks. Raises AssertionError for a broken promise."""
    with tempfile.TemporaryDirectory(prefix="messenger-faults-") as root:
        return await hear_everything(Path(root) / "data", SECONDS * scale, conversations=100, per_s=200)


def main() -> None:
    """Runs one campaign and prints its table."""
    parser = argparse.ArgumentParser(
        prog="make faults", description="Injects faults, and checks whether promises are kept."
    )
    parser.add_argument("campaign", choices=(*CAMPAIGNS, WEBHOOKS), nargs="?", default="mixed")
    parser.add_argument("--scale", type=float, default=1.0, help="so many times as long (1)")
    options = parser.parse_args()
    if options.campaign == WEBHOOKS:
        print(asyncio.run(hear_with_webhooks(options.scale)))
        return
    campaign = CAMPAIGNS[options.campaign].scaled(options.scale)
    print(f"{campaign.name}, {campaign.seconds:.0f} s", flush=True)
    seed = chosen_seed()
    root = Path(tempfile.mkdtemp(prefix="messenger-faults-"))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(run(campaign, seed, root))
    print(table(outcome))
    if outcome.passed:
        shutil.rmtree(root)
        return
    sys.exit(f"{VARIABLE}={seed} makes the same plan again; the log is in {root / 'data.log'}")


if __name__ == "__main__":
    main()
