"""Owns what operators are told about settings: the table of all variables, and which values are in force."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import chat_api.settings
import gateway.settings
import presence.settings
from messenger_shared.variables import Variable

SERVICES: Final[Mapping[str, tuple[Variable, ...]]] = {
    "gateway": gateway.settings.VARIABLES,
    "chat-api": chat_api.settings.VARIABLES,
    "presence": presence.settings.VARIABLES,
}
_HEAD: Final = """\
# Configuration

By environment variables alone, read and checked once at the start: a service that is told nonsense ends at
once and names the variable. What is of type "secret" may stand in a file instead, which `<name>_FILE` names.

`messenger config` prints what is in force, with secrets masked, and says who would not start with that; in a
container, where one service is, that is `python -m gateway.settings` (or `chat_api`, `presence`).

This table is made from what the code reads, by `make contract`.

| variable | type | default | of | meaning |
|---|---|---|---|---|
"""


def table() -> str:
    """The document of all variables."""
    return _HEAD + "".join(f"{row}\n" for row in _rows())


def main() -> None:
    """Writes the document into the file named on the command line."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m messenger_local.configuration FILE")
    Path(sys.argv[1]).write_text(table())


def _rows() -> Iterator[str]:
    known = {variable.name: variable for variables in SERVICES.values() for variable in variables}
    for name, variable in known.items():
        users = [service for service, variables in SERVICES.items() if variable in variables]
        of = "all" if len(users) == len(SERVICES) else ", ".join(users)
        default = f"`{variable.default_text}`" if variable.default_text else ""
        yield f"| `{name}` | {variable.kind} | {default} | {of} | {variable.meaning} |"


if __name__ == "__main__":
    main()
