"""Writes the published documents to files, so that clients can be built without a running gateway.

`python -m gateway.edge.contract FOLDER` writes openapi.json and asyncapi.json there.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import orjson

from gateway.edge.documents.asyncapi import asyncapi
from gateway.edge.documents.openapi import openapi
from gateway.edge.rest import BASE_PATH
from messenger_shared.contract.operations.table import TABLE


def documents() -> dict[str, bytes]:
    """Both documents by file name, indented so that a diff shows a change line by line."""
    release = version("messenger-gateway")
    made = {"openapi.json": openapi, "asyncapi.json": asyncapi}
    return {
        name: orjson.dumps(document(TABLE, BASE_PATH, release), option=orjson.OPT_INDENT_2) + b"\n"
        for name, document in made.items()
    }


def main() -> None:
    """Writes the documents to the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m gateway.edge.contract FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in documents().items():
        (folder / name).write_bytes(body)


if __name__ == "__main__":
    main()
