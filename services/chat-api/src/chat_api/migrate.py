"""Brings the schema `messenger` up to date: python -m chat_api.migrate."""

import sys

from messenger_shared.migrations import main

if __name__ == "__main__":
    sys.exit(main("chat_api", "messenger"))
