"""What clients and services agree on.

`operations` is the table of everything that can be asked, `schemas` the types of its fields. `events` are
what is told, `errors` and `close_codes` the two closed tables of failures. `tokens` says what a valid token
is. `identifiers`, `cursors`, `timestamps`, `presence_states` and `json_codec` are the forms of single values.
It imports no other package of the project.
"""
