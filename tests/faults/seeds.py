"""The seed of a run: printed, and read from the environment to repeat a plan."""

from __future__ import annotations

import os
import secrets

VARIABLE = "MESSENGER_FAULT_SEED"


def chosen_seed() -> int:
    """Returns the seed in the environment, or else a random one."""
    seed = int(os.environ.get(VARIABLE) or secrets.randbits(32))
    print(f"{VARIABLE}={seed}", flush=True)
    return seed
