"""Writes the generated modules of the SDK: `models.py` from the messenger's documents, and `blocking.py`.

`python shared/sdk/generate.py FOLDER` writes them to FOLDER. `make contract` runs it.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PACKAGE = HERE / "src/messenger_sdk"
DOCUMENTS = HERE.parents[1] / "services/gateway/web/contract"

_NOT_REQUIRED = "from typing_extensions import NotRequired\n"
# Python 3.10 has no NotRequired. There aiohttp brings typing_extensions.
_NOT_REQUIRED_BY_VERSION = """import sys

if sys.version_info >= (3, 11):
    from typing import NotRequired
else:
    from typing_extensions import NotRequired
"""
_MODELS = "messenger_sdk.models"
_MODELS_HEAD = (
    '"""The bodies and frames of the messenger. Made by `make contract`; changes here are lost."""\n'
)
_BLOCKING_HEAD = '''"""`Server` without asyncio. Made by `make contract`; changes here are lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from messenger_sdk.blocking_calls import BlockingCalls
{models}


class BlockingServer(BlockingCalls):
    """The messenger, for a host application with a server key: `Server` without asyncio.

    All methods raise MessengerError.
    """
'''


def models() -> str:
    """Returns the source of `models.py`."""
    command = [sys.executable, "-m", "datamodel_code_generator", "--input-file-type", "openapi"]
    command += ["--output-model-type", "typing.TypedDict", "--target-python-version", "3.10"]
    command += ["--use-schema-description", "--disable-timestamp", "--formatters", "builtin"]
    command += ["--custom-file-header", _MODELS_HEAD]
    done = subprocess.run(command, input=json.dumps(_schemas()), capture_output=True, text=True, check=True)
    return done.stdout.replace(_NOT_REQUIRED, _NOT_REQUIRED_BY_VERSION)


def _schemas() -> dict[str, Any]:
    """Returns both documents as one, in which each frame is a schema. `Event` is any that isn't an answer."""
    rest, socket = (json.loads((DOCUMENTS / f"{name}.json").read_text()) for name in ("openapi", "asyncapi"))
    messages = socket["components"]["messages"].items()
    frames = {_class_name(name): message["payload"] for name, message in messages}
    events = [_class_name(name) for name, _ in messages if name.startswith("event.") or name == "error"]
    frames["Event"] = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in events]}
    schemas = {**socket["components"]["schemas"], **rest["components"]["schemas"], **frames}
    return {**rest, "components": {**rest["components"], "schemas": schemas}}


def _class_name(message: str) -> str:
    """Returns `MessageNewEvent` for `event.message.new`."""
    kind, _, type_ = message.partition(".")
    words = [*re.split(r"\W|_", type_), kind] if type_ else [kind, "frame"]
    return "".join(word.capitalize() for word in words)


def blocking() -> str:
    """Returns the source of `blocking.py`: each public method of `Server` as a blocking call."""
    module = ast.parse((PACKAGE / "server.py").read_text()).body
    [models] = [node for node in module if isinstance(node, ast.ImportFrom) and node.module == _MODELS]
    [server] = [node for node in module if isinstance(node, ast.ClassDef) and node.name == "Server"]
    methods = [node for node in server.body if isinstance(node, ast.AsyncFunctionDef)]
    wanted = [node for node in methods if not node.name.startswith("_") and node.name != "close"]
    head = _BLOCKING_HEAD.replace("{models}", ast.unparse(models))
    return head + "".join(f"\n{_method(node)}\n" for node in wanted)


def _method(node: ast.AsyncFunctionDef) -> str:
    returns = ast.unparse(node.returns) if node.returns else "None"
    is_iterator = returns.startswith("AsyncIterator")
    how = "_iterate" if is_iterator else "_run"
    call = f"self.{how}(lambda server: server.{node.name}({_passed(node.args)}))"
    lines = [
        f"def {node.name}({ast.unparse(node.args)}) -> {returns.removeprefix('Async')}:",
        f'    """{ast.get_docstring(node, clean=False)}"""',
        f"    return {call}",
    ]
    return "\n".join(f"    {line}" for line in lines)


def _passed(arguments: ast.arguments) -> str:
    """Returns the arguments of a call that passes all of them on."""
    named = [argument.arg for argument in arguments.args if argument.arg != "self"]
    keywords = [f"{argument.arg}={argument.arg}" for argument in arguments.kwonlyargs]
    rest = [f"**{arguments.kwarg.arg}"] if arguments.kwarg else []
    return ", ".join([*named, *keywords, *rest])


def _tidy(name: str, source: str) -> str:
    """Returns the source as it is formatted and checked at its place in the package."""
    for command in (["format"], ["check", "--fix"]):
        run = [
            sys.executable,
            "-m",
            "ruff",
            *command,
            "--quiet",
            "--stdin-filename",
            str(PACKAGE / name),
            "-",
        ]
        source = subprocess.run(run, input=source, stdout=subprocess.PIPE, text=True, check=True).stdout
    return source


def main() -> None:
    """Writes the modules to the folder that the command line names."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE
    for name, made in (("models.py", models()), ("blocking.py", blocking())):
        (folder / name).write_text(_tidy(name, made))


if __name__ == "__main__":
    main()
