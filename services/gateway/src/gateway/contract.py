"""Owns writing the published documents to files, for programs that are built without a running gateway.

`python -m gateway.contract FOLDER` writes openapi.json and asyncapi.json there.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import orjson

from gateway.documents.asyncapi import asyncapi
from gateway.documents.openapi import openapi
from gateway.rest import BASE_PATH
from messenger_shared.operations.table import TABLE


def documents() -> dict[str, bytes]:
    """Both documents by file name, laid out so that a change is seen line by line."""
    release = version("messenger-gateway")
    made = {"openapi.json": openapi, "asyncapi.json": asyncapi}
    return {
        name: orjson.dumps(document(TABLE, BASE_PATH, release), option=orjson.OPT_INDENT_2) + b"\n"
        for name, document in made.items()
    }


def main() -> None:
    """Writes them into the folder named on the command line."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m gateway.contract FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in documents().items():
        (folder / name).write_bytes(body)


if __name__ == "__main__":
    main()
