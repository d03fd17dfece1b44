"""Translates marshmallow schemas to JSON Schema, our own field types included."""

from __future__ import annotations

import inspect
from typing import Any, Final, cast

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.field_converter import DEFAULT_FIELD_MAPPING
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

from messenger_shared.contract.schemas.fields import (
    CONTENT_CHARS,
    BooleanField,
    ContentField,
    CustomField,
    EmojiField,
    IntegerField,
    MomentField,
    NameField,
    TextField,
    UuidField,
)
from messenger_shared.contract.schemas.push import PushKeyField
from messenger_shared.contract.text.blank import INVISIBLE_BELOW_10000

Json = dict[str, Any]

OPENAPI_VERSION: Final = "3.1.0"
_NO_NUL: Final = "^[^\\u0000]*$"
_NOT_BLANK: Final = f"^[^\\u0000]*[^{INVISIBLE_BELOW_10000}][^\\u0000]*$"


_TYPES: Final = {
    **DEFAULT_FIELD_MAPPING,
    UuidField: ("string", "uuid"),
    IntegerField: ("integer", "int64"),
    BooleanField: ("boolean", None),
    MomentField: ("string", "date-time"),
    ContentField: ("string", None),
    CustomField: ("object", None),
    EmojiField: ("string", "emoji"),
    PushKeyField: ("string", None),
    fields.Url: ("string", "uri"),
}


class _Converter(OpenAPIConverter):
    """Keeps schemas open: a field that is added later must not break a client that validates answers."""

    def schema2jsonschema(self, schema: Any) -> Json:
        untyped: Any = super()
        found: Json = untyped.schema2jsonschema(schema)
        found.pop("additionalProperties", None)
        return {"description": description(schema), **found}


class Shapes:
    """JSON Schemas that refer to each other as `#/components/schemas/…`."""

    def __init__(self) -> None:
        plugin = MarshmallowPlugin(schema_name_resolver=_name)
        plugin.Converter = _Converter
        self._spec = APISpec("", "", OPENAPI_VERSION, plugins=[plugin])
        self._converter = cast(Any, plugin.converter)
        self._converter.field_mapping = _TYPES
        self._converter.add_attribute_function(_own_limits)

    @property
    def components(self) -> Json:
        """All schemas that were referred to, by name."""
        return dict(self._spec.components.schemas)

    def refer(self, schema: Schema) -> Json:
        """Adds the schema to the components; returns a reference to it."""
        found: Json = self._converter.resolve_nested_schema(schema)
        return found

    def name(self, name: str, schema: Schema) -> Json:
        """Like `refer`, but under `name` instead of the class's name. A known name isn't added again."""
        if name not in self._spec.components.schemas:
            self._spec.components.schema(name, schema=schema)
        return {"$ref": f"#/components/schemas/{name}"}

    def inline(self, schema: Schema) -> Json:
        """The JSON Schema itself, not a reference."""
        found: Json = self._converter.schema2jsonschema(schema)
        return found

    def parameter(self, field: fields.Field[Any]) -> Json:
        """The schema of a field in a URL or a header, where null can't be written."""
        found: Json = self._converter.field2property(field)
        if isinstance(found["type"], list):
            found["type"] = found["type"][0]
        if found.get("default", ...) is None:
            del found["default"]
        return found


def description(schema: Any) -> str:
    """The docstring of a schema or of its class, without indentation."""
    return inspect.getdoc(schema if isinstance(schema, type) else type(schema)) or ""


def _name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema")


def _own_limits(self: Any, field: fields.Field[Any], *, ret: Json) -> Json:
    """The limits of our own fields; apispec knows only marshmallow's fields."""
    if isinstance(field, IntegerField):
        return {"minimum": field.low, "maximum": field.high}
    if isinstance(field, ContentField) and field.may_be_blank:
        return {"maxLength": CONTENT_CHARS, "pattern": _NO_NUL}
    if isinstance(field, ContentField):
        return {"minLength": 1, "maxLength": CONTENT_CHARS, "pattern": _NOT_BLANK}
    if isinstance(field, TextField):
        return {"pattern": _NOT_BLANK if isinstance(field, NameField) else _NO_NUL}
    if isinstance(field, fields.Url):
        return {"pattern": "^https?://"}
    if isinstance(field, fields.Dict) and field.key_field is not None:
        limits = {"maxProperties": ret.pop("maxLength")} if "maxLength" in ret else {}
        return limits | {"propertyNames": self.field2property(field.key_field)}
    return {}
