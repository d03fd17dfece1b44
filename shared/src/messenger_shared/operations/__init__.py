"""The one contract: every operation with its schemas and its doors.

`operation` says what a row is, `fields` the types of the wire, `resources` what answers are made of; then one
module per noun: `conversations`, `messages`, `session`, `presence`. `table` joins them. Adding an operation
is one row here and one handler in the service that the row names.
"""
