"""Owns the seed of a run: printed, and taken from the environment to make the same plan again."""

from __future__ import annotations

import os
import secrets

VARIABLE = "MESSENGER_FAULT_SEED"


def chosen_seed() -> int:
    """The seed that is asked for, else any."""
    seed = int(os.environ.get(VARIABLE) or secrets.randbits(32))
    print(f"{VARIABLE}={seed}", flush=True)
    return seed
