"""Applies the migrations of the schema `messenger`: python -m chat_api.migrate."""

import sys

from messenger_shared.postgres.migrations import main

if __name__ == "__main__":
    sys.exit(main("chat_api", "messenger"))
