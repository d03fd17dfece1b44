"""The contract as documents, made from the operation table: `openapi` of REST, `asyncapi` of the socket.

`shapes` turns marshmallow's schemas into JSON Schema for both; `page` is what shows them to people.
"""
