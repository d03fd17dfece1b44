"""Makes openapi.json: every operation that has a route, with its parameters, answers and errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from marshmallow import fields

from gateway.edge.documents.shapes import OPENAPI_VERSION, Json, Shapes, description
from messenger_shared.contract import errors
from messenger_shared.contract.errors import ErrorKind
from messenger_shared.contract.operations.operation import SERVER_PREFIX, Operation, Route, ServerRoute
from messenger_shared.contract.schemas.files import BytesSchema
from messenger_shared.contract.schemas.resources import ProblemSchema

# Every operation may fail with these: bad token, page of another origin, service absent or overloaded.
_ALWAYS: Final = (
    errors.UNAUTHORIZED,
    errors.FORBIDDEN,
    errors.INTERNAL,
    errors.OVERLOADED,
    errors.UNAVAILABLE,
    errors.TIMEOUT,
)
# A key without the scope, and too many wrong keys from one address.
_WITH_KEY: Final = (errors.KEY_SCOPE, errors.RATE_LIMITED)
_OF_A_BODY: Final = (errors.INVALID_JSON, errors.INVALID_FRAME)
# Here HTTP has a more precise status than the table: a head line that is too long (400); a body that came too
# slowly (408), is too large (413), or is encoded (415).
_HTTP_ALWAYS: Final[Mapping[int, ErrorKind]] = {400: errors.INVALID_FRAME}
_HTTP_OF_A_BODY: Final[Mapping[int, ErrorKind]] = dict.fromkeys((408, 413, 415), errors.INVALID_FRAME)
_RETRY_AFTER: Final[Json] = {
    "description": "In seconds.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}
# A list in a query is written `1,2,3`.
_LISTED: Final[Json] = {"style": "form", "explode": False}
_BYTES: Final[Json] = {"type": "string", "format": "binary"}
_PARAMETER: Final = re.compile(r"{(\w+)}")


class _Entry(NamedTuple):
    """An operation behind one of its routes. `id` is unique in the document."""

    id: str
    operation: Operation
    route: Route | ServerRoute
    path: str

    @property
    def in_path(self) -> list[str]:
        """The fields in the path."""
        return _PARAMETER.findall(self.path)


def openapi(table: Mapping[str, Operation], base_path: str, version: str) -> Json:
    """The document of the operations in `table`, whose paths begin with `base_path`."""
    shapes = Shapes()
    entries = [*_for_clients(table.values()), *_for_hosts(table.values())]
    paths: dict[str, Json] = {}
    for entry in entries:
        described = _describe(shapes, entry)
        _link(described, entry, entries)
        paths.setdefault(entry.path, {})[entry.route.method.lower()] = described
    return {
        "openapi": OPENAPI_VERSION,
        "info": {"title": "Messenger", "version": version, "description": _ABOUT},
        "servers": [{"url": base_path}],
        "security": [{"bearer": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(map(_tag, entries))],
        "paths": paths,
        "components": {
            "schemas": shapes.components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "serverKey": {"type": "http", "scheme": "bearer", "bearerFormat": "msk_…"},
            },
        },
    }


_ABOUT: Final = (
    "Conversations, messages and presence over REST. Events arrive over the WebSocket, which `asyncapi.json` "
    "describes. The server ignores fields that are not listed here, and later versions may add fields to "
    "answers. HEAD works wherever GET does. OPTIONS returns the methods that a path allows. Paths below "
    "/server are for host applications, with a server key."
)


def _for_clients(operations: Iterable[Operation]) -> list[_Entry]:
    return [_Entry(o.name, o, o.route, o.route.path) for o in operations if o.route is not None]


def _for_hosts(operations: Iterable[Operation]) -> list[_Entry]:
    return [
        _Entry(
            o.name if o.route is None else f"server.{o.name}", o, o.server, f"{SERVER_PREFIX}{o.server.path}"
        )
        for o in operations
        if o.server is not None
    ]


def _describe(shapes: Shapes, entry: _Entry) -> Json:
    operation, route = entry.operation, entry.route
    described: Json = {
        "operationId": entry.id,
        "summary": operation.summary,
        "description": description(operation.request),
        "tags": [_tag(entry)],
        "parameters": _parameters(shapes, entry),
        "responses": {
            **{str(status): _success(shapes, operation, status) for status in route.respond.statuses},
            **_failures(shapes, entry),
        },
    }
    if isinstance(route, ServerRoute):
        described["security"] = [{"serverKey": []}]
    if operation.has_body:
        body = type(operation.request)(exclude=entry.in_path)
        if body.fields:
            schema = shapes.name(_body_name(operation), body)
            is_required = any(field.required for field in body.fields.values())
            content = {"application/json": {"schema": schema}}
            described["requestBody"] = {
                "required": is_required or isinstance(route, Route),
                "content": content,
            }
    return described


def _parameters(shapes: Shapes, entry: _Entry) -> list[Json]:
    operation, in_path = entry.operation, entry.in_path
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
    for header, name in entry.route.headers.items():
        found.append({"in": "header", "name": header, "schema": shapes.parameter(request.fields[name])})
    return found


def _success(shapes: Shapes, operation: Operation, status: int) -> Json:
    if status == 204:
        return {"description": "Done."}
    if isinstance(operation.answer, BytesSchema):
        return {"description": description(operation.answer), "content": {"*/*": {"schema": _BYTES}}}
    content = {"application/json": {"schema": shapes.refer(operation.answer)}}
    return {"description": description(operation.answer), "content": content}


def _failures(shapes: Shapes, entry: _Entry) -> Json:
    operation = entry.operation
    always = (*_ALWAYS, *_WITH_KEY) if isinstance(entry.route, ServerRoute) else _ALWAYS
    kinds: list[tuple[int, ErrorKind]] = [(kind.status, kind) for kind in (*operation.errors, *always)]
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


def _link(described: Json, entry: _Entry, entries: list[_Entry]) -> None:
    """Links an answer that has a new id to every operation behind the same door that takes it in its path."""
    new_id = entry.operation.new_id
    if not new_id:
        return
    links = {
        other.id: {"operationId": other.id, "parameters": {new_id: "$response.body#/id"}}
        for other in entries
        if new_id in other.in_path and type(other.route) is type(entry.route)
    }
    for status in ("200", "201"):
        if status in described["responses"]:
            described["responses"][status]["links"] = links


def _tag(entry: _Entry) -> str:
    return entry.id.partition(".")[0]


def _body_name(operation: Operation) -> str:
    return "".join(part.capitalize() for part in operation.name.split(".")) + "Body"
