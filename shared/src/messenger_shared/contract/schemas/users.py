"""Schemas of users, as clients and as hosts see them."""

from __future__ import annotations

from marshmallow import Schema, fields

from messenger_shared.contract.schemas.fields import MomentField
from messenger_shared.contract.schemas.resources import PageSchema, UserSchema


class OwnUserSchema(UserSchema):
    """The caller's own profile. `external_id` is the host's id, null if it has none."""

    external_id = fields.String(required=True, allow_none=True)


class ServerUserSchema(OwnUserSchema):
    """A user as the host sees them."""

    locale = fields.String(required=True, allow_none=True)
    timezone = fields.String(required=True, allow_none=True)
    custom = fields.Dict(required=True)
    created_at = MomentField(required=True)


class UserPageSchema(PageSchema):
    """A page of users."""

    items = fields.List(fields.Nested(UserSchema), required=True)


class ServerUserPageSchema(PageSchema):
    """A page of users as the host sees them."""

    items = fields.List(fields.Nested(ServerUserSchema), required=True)


class ServerUsersSchema(Schema):
    """The users asked for, in the order of the request."""

    items = fields.List(fields.Nested(ServerUserSchema), required=True)


class UserTokenSchema(Schema):
    """A token for one user."""

    token = fields.String(required=True)
    expires_at = MomentField(required=True)
