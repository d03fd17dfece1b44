"""Brings the schema `presence` up to date: python -m presence.migrate."""

import sys

from messenger_shared.migrations import main

if __name__ == "__main__":
    sys.exit(main("presence", "presence"))
