"""Owns how a marshmallow schema is said in JSON Schema, with the types of our wire."""

from __future__ import annotations

from typing import Any, Final, cast

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.field_converter import DEFAULT_FIELD_MAPPING
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

from messenger_shared.operations.fields import (
    CONTENT_CHARS,
    BooleanField,
    ContentField,
    IntegerField,
    MomentField,
    TextField,
    TitleField,
    UuidField,
)

Json = dict[str, Any]

OPENAPI_VERSION: Final = "3.1.0"
_NO_NUL: Final = "^[^\\u0000]*$"
_NOT_BLANK: Final = "^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$"


_TYPES: Final = {
    **DEFAULT_FIELD_MAPPING,
    UuidField: ("string", "uuid"),
    IntegerField: ("integer", "int64"),
    BooleanField: ("boolean", None),
    MomentField: ("string", "date-time"),
    ContentField: ("string", None),
    fields.Url: ("string", "uri"),
}


class _Converter(OpenAPIConverter):
    """Schemas stay open: what is added later must not break a client that checks what it gets."""

    def schema2jsonschema(self, schema: Any) -> Json:
        untyped: Any = super()
        found: Json = untyped.schema2jsonschema(schema)
        found.pop("additionalProperties", None)
        kind = schema if isinstance(schema, type) else type(schema)
        return {"description": kind.__doc__, **found}


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
        """All that was referred to, by name."""
        return dict(self._spec.components.schemas)

    def refer(self, schema: Schema) -> Json:
        """A reference to the schema, which is among the components from now on."""
        found: Json = self._converter.resolve_nested_schema(schema)
        return found

    def name(self, name: str, schema: Schema) -> Json:
        """The same, under a name that isn't its class's."""
        self._spec.components.schema(name, schema=schema)
        return {"$ref": f"#/components/schemas/{name}"}

    def inline(self, schema: Schema) -> Json:
        """The schema itself."""
        found: Json = self._converter.schema2jsonschema(schema)
        return found

    def parameter(self, field: fields.Field[Any]) -> Json:
        """The schema of a field that comes in a URL or a header, where there is no null."""
        found: Json = self._converter.field2property(field)
        if isinstance(found["type"], list):
            found["type"] = found["type"][0]
        if found.get("default", ...) is None:
            del found["default"]
        return found


def _name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema")


def _own_limits(self: Any, field: fields.Field[Any], *, ret: Json) -> Json:
    """What a field of ours lets in; apispec knows marshmallow's own alone."""
    if isinstance(field, IntegerField):
        return {"minimum": field.low, "maximum": field.high}
    if isinstance(field, ContentField):
        return {"minLength": 1, "maxLength": CONTENT_CHARS, "pattern": _NOT_BLANK}
    if isinstance(field, TextField):
        return {"pattern": _NOT_BLANK if isinstance(field, TitleField) else _NO_NUL}
    if isinstance(field, fields.Url):
        return {"pattern": "^https?://"}
    if isinstance(field, fields.Dict):
        limits = {"maxProperties": ret.pop("maxLength")} if "maxLength" in ret else {}
        return limits | {"propertyNames": self.field2property(field.key_field)}
    return {}
