"""Owns openapi.json: every operation that has a route, with all that it takes and all that it may answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from marshmallow import fields

from gateway.documents.shapes import OPENAPI_VERSION, Json, Shapes
from messenger_shared import errors
from messenger_shared.errors import ErrorKind
from messenger_shared.operations.operation import Operation, Route
from messenger_shared.operations.resources import ProblemSchema

# What every operation may fail with: nobody there to ask, or a page that may not.
_ALWAYS: Final = (
    errors.UNAUTHORIZED,
    errors.FORBIDDEN,
    errors.INTERNAL,
    errors.OVERLOADED,
    errors.UNAVAILABLE,
    errors.TIMEOUT,
)
_OF_A_BODY: Final = (errors.INVALID_JSON, errors.INVALID_FRAME)
# Where HTTP has a more telling status than the table: a line of the head that is too long; a body that came
# too slowly, or is too large.
_HTTP_ALWAYS: Final[Mapping[int, ErrorKind]] = {400: errors.INVALID_FRAME}
_HTTP_OF_A_BODY: Final[Mapping[int, ErrorKind]] = dict.fromkeys((408, 413, 415), errors.INVALID_FRAME)
_RETRY_AFTER: Final[Json] = {
    "description": "In seconds.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}
# A list in a query is `1,2,3`.
_LISTED: Final[Json] = {"style": "form", "explode": False}
_PARAMETER: Final = re.compile(r"{(\w+)}")


def openapi(table: Mapping[str, Operation], base_path: str, version: str) -> Json:
    """The document of the operations in `table`, whose paths begin with `base_path`."""
    shapes = Shapes()
    routed = [(operation, operation.route) for operation in table.values() if operation.route is not None]
    paths: dict[str, Json] = {}
    for operation, route in routed:
        described = _describe(shapes, operation, route)
        _link(described, operation, routed)
        paths.setdefault(route.path, {})[route.method.lower()] = described
    return {
        "openapi": OPENAPI_VERSION,
        "info": {"title": "Messenger", "version": version, "description": _ABOUT},
        "servers": [{"url": base_path}],
        "security": [{"bearer": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(_tag(operation) for operation, _ in routed)],
        "paths": paths,
        "components": {
            "schemas": shapes.components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


_ABOUT: Final = (
    "Conversations and messages over REST. What happens in them comes over the WebSocket, which "
    "`asyncapi.json` describes. Fields that are not named here are ignored, and may be added to answers."
)


def _describe(shapes: Shapes, operation: Operation, route: Route) -> Json:
    in_path = _PARAMETER.findall(route.path)
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": type(operation.request).__doc__,
        "tags": [_tag(operation)],
        "parameters": _parameters(shapes, operation, route, in_path),
        "responses": {
            **{str(status): _success(shapes, operation, status) for status in route.respond.statuses},
            **_failures(shapes, operation, route),
        },
    }
    if operation.has_body:
        body = type(operation.request)(exclude=in_path)
        schema = shapes.name(_body_name(operation), body)
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described


def _parameters(shapes: Shapes, operation: Operation, route: Route, in_path: list[str]) -> list[Json]:
    request = operation.request
    found = [
        {"in": "path", "name": name, "required": True, "schema": shapes.parameter(request.fields[name])}
        for name in in_path
    ]
    if not operation.has_body:
        found += [
            {"in": "query", "name": name, "required": field.required, "schema": shapes.parameter(field)}
            | (_LISTED if isinstance(field, fields.List) else {})
            for name, field in request.fields.items()
            if name not in in_path
        ]
    for header, name in route.headers.items():
        found.append({"in": "header", "name": header, "schema": shapes.parameter(request.fields[name])})
    return found


def _success(shapes: Shapes, operation: Operation, status: int) -> Json:
    if status == 204:
        return {"description": "Done."}
    schema = shapes.refer(operation.answer)
    description = str(type(operation.answer).__doc__)
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _failures(shapes: Shapes, operation: Operation, route: Route) -> Json:
    kinds: list[tuple[int, ErrorKind]] = [(kind.status, kind) for kind in (*operation.errors, *_ALWAYS)]
    kinds += _HTTP_ALWAYS.items()
    if operation.has_body:
        kinds += [(kind.status, kind) for kind in _OF_A_BODY]
        kinds += _HTTP_OF_A_BODY.items()
    statuses = sorted({status for status, _ in kinds})
    return {
        str(status): _problem(shapes, dict.fromkeys(kind for at, kind in kinds if at == status))
        for status in statuses
    }


def _problem(shapes: Shapes, kinds: Iterable[ErrorKind]) -> Json:
    kinds = list(kinds)
    codes = [kind.code for kind in kinds]
    schema = {**shapes.refer(ProblemSchema()), "properties": {"code": {"enum": codes}}}
    found: Json = {
        "description": " ".join(f"`{kind.code}`: {kind.message}." for kind in kinds),
        "content": {"application/problem+json": {"schema": schema}},
    }
    if any(kind.status in (429, 503) for kind in kinds):
        found["headers"] = {"Retry-After": _RETRY_AFTER}
    return found


def _link(described: Json, operation: Operation, routed: list[tuple[Operation, Route]]) -> None:
    """From what makes a thing to all that can be done with it."""
    if not operation.new_id:
        return
    links = {
        other.name: {"operationId": other.name, "parameters": {operation.new_id: "$response.body#/id"}}
        for other, route in routed
        if operation.new_id in _PARAMETER.findall(route.path)
    }
    for status in ("200", "201"):
        if status in described["responses"]:
            described["responses"][status]["links"] = links


def _tag(operation: Operation) -> str:
    return operation.name.partition(".")[0]


def _body_name(operation: Operation) -> str:
    return "".join(part.capitalize() for part in operation.name.split(".")) + "Body"
