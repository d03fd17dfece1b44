"""The one contract: every operation with its schemas and its doors.

`operation` says what a row is, `fields` the types of the wire, `resources` what answers are made of, `frames`
what the server sends over a socket; then one module per noun: `conversations`, `participants`, `messages`,
`settings`, `session`, `presence`. `table` joins them. Adding an operation is one row here, the shape of its
success frame if it is a command, and one handler in the service that the row names.
"""
