"""Defines the error that the command line prints as one line."""


class StackError(Exception):
    """One line on what went wrong and, where it helps, what to do. Printed without a traceback."""
