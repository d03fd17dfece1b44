"""Parses a child's output line into level and text, for each program that the stack runs."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

LEVELS = ("debug", "info", "warning", "error")
_POSTGRES = re.compile(r"([A-Z]+\d?):\s+(.*)")
_VALKEY = re.compile(r"\d+:[A-Z] \d\d \w+ \d{4} [\d:.]+ ([.*#-]) (.*)")
_POSTGRES_LEVELS = {"WARNING": "warning", "ERROR": "error", "FATAL": "error", "PANIC": "error"}
# PostgreSQL sends these to every client while it starts or stops. The stack reports starts and stops itself.
_POSTGRES_CHATTER = ("the database system is ", "terminating connection due to ")
_GUNICORN = "gunicorn.error"
# The supervisor already logs these. The pid of a new worker and real warnings stay.
_GUNICORN_CHATTER = (
    "Starting gunicorn",
    "Listening at",
    "Using worker",
    "Handling signal",
    "Worker exiting",
    "Error while closing socket",
    "Shutting down: Master",
)
_GUNICORN_WORKER_ENDED = "Worker (pid:"
# Valkey writes no file here, so it never forks and needs no overcommit. Its last line is no warning.
_VALKEY_CHATTER = ("WARNING Memory overcommit", "Valkey is now ready to exit")


@dataclass(frozen=True, slots=True)
class Line:
    """One log entry of a process."""

    level: str
    text: str


Parser = Callable[[str], Line]


def parse_service(raw: str) -> Line:
    """Parses a service's JSON line. Other text passes as it is, with level error if it looks like one."""
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
    """Parses a line of PostgreSQL's log. Everything below a warning becomes debug."""
    match = _POSTGRES.fullmatch(raw)
    if match is None or match[2].startswith(_POSTGRES_CHATTER):
        return Line("debug", raw)
    return Line(_POSTGRES_LEVELS.get(match[1], "debug"), match[2])


def parse_valkey(raw: str) -> Line:
    """Parses a line of Valkey's log, in which `#` marks a warning."""
    match = _VALKEY.fullmatch(raw)
    if match is None:
        return Line("debug", raw)
    is_warning = match[1] == "#" and not match[2].startswith(_VALKEY_CHATTER)
    return Line("warning" if is_warning else "debug", match[2])


def _level_of_gunicorn(level: str, text: str) -> str:
    """Lowers the end of a worker to a warning: the worker itself logs the reason as an error."""
    if text.startswith(_GUNICORN_CHATTER):
        return "debug"
    return "warning" if text.startswith(_GUNICORN_WORKER_ENDED) else level


def _level_of(entry: dict[str, Any]) -> str:
    level = str(entry.get("level", "info")).lower()
    return "error" if level == "critical" else level if level in LEVELS else "info"


def _with_trace(text: str, entry: dict[str, Any]) -> str:
    return f"{text} (trace {entry['trace']})" if entry.get("trace") else text


def _exception_lines(entry: dict[str, Any]) -> list[str]:
    return str(entry["exception"]).splitlines() if entry.get("exception") else []
