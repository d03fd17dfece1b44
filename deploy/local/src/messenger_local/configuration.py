"""Makes the table of all settings (configuration.md), and lists the settings of each service."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import chat_api.feed.settings
import chat_api.settings
import gateway.settings
import presence.settings
from messenger_shared.settings.variables import Variable

SERVICES: Final[Mapping[str, tuple[Variable, ...]]] = {
    "gateway": gateway.settings.VARIABLES,
    "chat-api": chat_api.settings.VARIABLES,
    "presence": presence.settings.VARIABLES,
    "feed": chat_api.feed.settings.VARIABLES,
}
_HEADER: Final = """\
# Configuration

A service reads its settings from environment variables, once, when it starts. If a value is invalid, the
service stops and names the variable. A setting of type "secret" may be in a file instead: `<name>_FILE` then
names the file.

`messenger config` prints the settings in force, with secrets masked, and names the services that would not
start with them. In a container, use `python -m gateway.settings`, `chat_api.settings`, `presence.settings` or
`chat_api.feed.settings`.

`make contract` makes this table from the code.

| variable | type | default | services | meaning |
|---|---|---|---|---|
"""


def table() -> str:
    """The text of configuration.md."""
    return _HEADER + "".join(f"{row}\n" for row in _rows())


def main() -> None:
    """Writes the document into the file that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m messenger_local.configuration FILE")
    Path(sys.argv[1]).write_text(table())


def _rows() -> Iterator[str]:
    known = {variable.name: variable for variables in SERVICES.values() for variable in variables}
    for name, variable in known.items():
        services = [service for service, variables in SERVICES.items() if variable in variables]
        column = "all" if len(services) == len(SERVICES) else ", ".join(services)
        default = f"`{variable.default_text}`" if variable.default_text else ""
        yield f"| `{name}` | {variable.kind} | {default} | {column} | {variable.meaning} |"


if __name__ == "__main__":
    main()
