"""Applies the migrations of the schema `presence`: python -m presence.migrate."""

import sys

from messenger_shared.postgres.migrations import main

if __name__ == "__main__":
    sys.exit(main("presence", "presence"))
