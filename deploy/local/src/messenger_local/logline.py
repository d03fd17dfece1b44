"""Owns how a child's line of output is read: its level and its text, whichever program wrote it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

LEVELS = ("debug", "info", "warning", "error")
_POSTGRES = re.compile(r"([A-Z]+\d?):\s+(.*)")
_VALKEY = re.compile(r"\d+:[A-Z] \d\d \w+ \d{4} [\d:.]+ ([.*#-]) (.*)")
_POSTGRES_LEVELS = {"WARNING": "warning", "ERROR": "error", "FATAL": "error", "PANIC": "error"}
# Said to every client that knocks while the server starts or stops, which the stack itself reports.
_POSTGRES_CHATTER = ("the database system is ", "terminating connection due to ")
_GUNICORN = "gunicorn.error"
# The supervisor says as much; a new worker's pid and what is a warning are worth a line.
_GUNICORN_CHATTER = (
    "Starting gunicorn",
    "Listening at",
    "Using worker",
    "Handling signal",
    "Worker exiting",
    "Error while closing socket",
    "Shutting down: Master",
)
_GUNICORN_ENDINGS = "Worker (pid:"
# It writes no file, so it never forks; and its last words are no warning.
_VALKEY_CHATTER = ("WARNING Memory overcommit", "Valkey is now ready to exit")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that a process said."""

    level: str
    text: str


Parser = Callable[[str], Line]


def parse_service(raw: str) -> Line:
    """A JSON line of a service; anything else is passed on, as an error if it looks like one."""
    try:
        entry = orjson.loads(raw)
        text = str(entry["message"])
    except (orjson.JSONDecodeError, TypeError, KeyError):
        return Line("error" if "rror" in raw or "Traceback" in raw else "info", raw)
    level = _level_of(entry)
    if entry.get("logger") == _GUNICORN:
        level = _level_of_gunicorn(level, text)
    return Line(level, "\n".join([_with_trace(text, entry), *_exception_lines(entry)]))


def parse_postgres(raw: str) -> Line:
    """A line of PostgreSQL's log; only what is a warning or worse is more than chatter."""
    match = _POSTGRES.fullmatch(raw)
    if match is None or match[2].startswith(_POSTGRES_CHATTER):
        return Line("debug", raw)
    return Line(_POSTGRES_LEVELS.get(match[1], "debug"), match[2])


def parse_valkey(raw: str) -> Line:
    """A line of Valkey's log; its sign # means a warning."""
    match = _VALKEY.fullmatch(raw)
    if match is None:
        return Line("debug", raw)
    loud = match[1] == "#" and not match[2].startswith(_VALKEY_CHATTER)
    return Line("warning" if loud else "debug", match[2])


def _level_of_gunicorn(level: str, text: str) -> str:
    """A worker's end is a warning beside the reason, which the worker itself gives as an error."""
    if text.startswith(_GUNICORN_CHATTER):
        return "debug"
    return "warning" if text.startswith(_GUNICORN_ENDINGS) else level


def _level_of(entry: dict[str, Any]) -> str:
    level = str(entry.get("level", "info")).lower()
    return "error" if level == "critical" else level if level in LEVELS else "info"


def _with_trace(text: str, entry: dict[str, Any]) -> str:
    return f"{text} (trace {entry['trace']})" if entry.get("trace") else text


def _exception_lines(entry: dict[str, Any]) -> list[str]:
    return str(entry["exception"]).splitlines() if entry.get("exception") else []
