"""Runs the command by `python -m messenger_local`, since a script's first line can't hold every path."""

from messenger_local.cli import main

main()
