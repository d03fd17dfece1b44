"""Compares everything that a gateway sends with the documents that it publishes.

The documents leave room for the additions of later versions. The tests take them as closed, so that nothing
is added without being documented.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator

from gateway.edge.documents.asyncapi import asyncapi
from gateway.edge.documents.openapi import openapi
from messenger_shared.contract.operations.table import TABLE

Json = dict[str, Any]

BASE_PATH = "/api/v1/messenger"
# aiohttp's client reports an end without a close frame with this code.
_ABNORMAL = "1006"
_ANY_PROBLEM: Json = {
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class Undocumented(AssertionError):
    """The gateway sent something that is not in its documents."""


def check_response(method: str, path: str, status: int, headers: Mapping[str, str], body: Any) -> None:
    """Raises Undocumented unless the operation may answer so; an unknown one must answer with a problem."""
    where = f"{method} {path} -> {status}"
    operation = _operation(method, path.partition("?")[0])
    if operation is None:
        _require(status >= 400, where, "no such operation")
        described = _ANY_PROBLEM
    else:
        _require(str(status) in operation["responses"], where, "no such status")
        described = operation["responses"][str(status)]
    for name in described.get("headers", ()):
        _require(name in headers, where, f"no {name}")
    if "content" not in described:
        _require(body is None, where, f"a body: {body}")
        return
    [(kind, content)] = described["content"].items()
    if kind == "*/*":
        return
    _require(headers.get("Content-Type", "").partition(";")[0] == kind, where, "another content type")
    _check(_validator(content["schema"], _rest_document()), body, where)


def check_frame(frame: Json) -> None:
    """Raises Undocumented unless the server may send this frame."""
    type_ = frame.get("type")
    names = ("error",) if type_ == "error" else (f"answer.{type_}", f"event.{type_}")
    if type_ == "system":
        names = (f"event.system.{frame.get('event')}",)
    document = _socket_document()
    messages = document["components"]["messages"]
    known = [name for name in names if name in messages]
    _require(bool(known), str(type_), "no such frame")
    # Two kinds of frames may share a type. The one with a `ref` is the answer.
    name = known[0] if "ref" in frame else known[-1]
    _check(_validator(messages[name]["payload"], document), frame, name)


def check_close(code: int) -> None:
    """Raises Undocumented unless a socket may end with this code."""
    known = _socket_document()["channels"]["socket"]["x-close-codes"]
    _require(str(code) in known or str(code) == _ABNORMAL, f"close {code}", "no such code")


@cache
def _rest_document() -> Json:
    return _closed(openapi(TABLE, BASE_PATH, "0"))


@cache
def _socket_document() -> Json:
    return _closed(asyncapi(TABLE, BASE_PATH, "0"))


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items()}
    if closed.get("type") == "object" and "properties" in closed:
        closed["additionalProperties"] = False
    return closed


@cache
def _paths() -> list[tuple[re.Pattern[str], Json]]:
    found = _rest_document()["paths"].items()
    return [(re.compile(re.sub(r"{\w+}", "[^/]+", path)), operations) for path, operations in found]


def _operation(method: str, path: str) -> Json | None:
    for pattern, operations in _paths():
        if pattern.fullmatch(path):
            return operations.get(method.lower())
    return None


# Keyed by the identity of the schema in its document, which lives as long as the tests.
_validators: dict[int, Draft202012Validator] = {}


def _validator(schema: Json, document: Json) -> Draft202012Validator:
    found = _validators.get(id(schema))
    if found is None:
        whole = {**schema, "components": {"schemas": document["components"]["schemas"]}}
        found = _validators[id(schema)] = Draft202012Validator(whole, validate_formats=True)
    return found


def _require(condition: bool, where: str, what: str) -> None:
    if not condition:
        raise Undocumented(f"{where}: {what}")


def _check(validator: Draft202012Validator, value: Any, where: str) -> None:
    faults = [f"{'/'.join(map(str, e.instance_path))}: {e.message}" for e in validator.iter_errors(value)]
    if faults:
        raise Undocumented(f"{where}: {faults} in {value}")
