"""Owns the one failure that the command line tells its user about, as one line."""


class StackError(Exception):
    """What went wrong and, where it helps, what to do: one line, without a trace."""
