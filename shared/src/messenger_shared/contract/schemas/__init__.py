"""The schemas behind the operation table.

`fields` has the types of single fields, `resources` what answers are made of, `frames` what the server sends
over a socket, `quick_checks` the fast check of the most frequent frames.
"""
