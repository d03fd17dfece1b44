"""Tests of how each program's output is read."""

import json

import pytest

from messenger_local.logline import Line, parse_postgres, parse_service, parse_valkey


def service_line(**fields: object) -> str:
    return json.dumps({"level": "info", "logger": "gateway.connections.hub", "message": "hello", **fields})


def test_a_service_says_its_level_and_text() -> None:
    assert parse_service(service_line(level="warning")) == Line("warning", "hello")


def test_a_trace_and_an_exception_stay_with_their_message() -> None:
    line = parse_service(service_line(level="error", trace="t1", exception="Traceback\n  boom"))
    assert line == Line("error", "hello (trace t1)\nTraceback\n  boom")


@pytest.mark.parametrize(
    ("raw", "level"),
    [
        ("Traceback (most recent call last):", "error"),
        ("ImportError: no such module", "error"),
        ("applied 0001_first.sql", "info"),
        ('["message"]', "info"),
        ('"message"', "info"),
        ("{", "info"),
    ],
)
def test_what_is_no_json_line_is_passed_on_as_it_is(raw: str, level: str) -> None:
    assert parse_service(raw) == Line(level, raw)


def test_odd_fields_break_nothing() -> None:
    assert parse_service(service_line(message=7, level=None)) == Line("info", "7")
    assert parse_service(service_line(level="critical")).level == "error"


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("Listening at: http://127.0.0.1:1 (2)", "debug"),
        ("Booting worker with pid: 7", "info"),
        ("Worker (pid:7) was sent SIGKILL! Perhaps out of memory?", "warning"),
        ("something else went wrong", "error"),
    ],
)
def test_of_gunicorn_only_what_matters_is_shown(text: str, level: str) -> None:
    logged_level = "error" if level in ("warning", "error") else "info"
    assert (
        parse_service(service_line(logger="gunicorn.error", level=logged_level, message=text)).level == level
    )


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("LOG:  database system is ready to accept connections", "debug"),
        ("WARNING:  out of something", "warning"),
        ("ERROR:  duplicate key value", "error"),
        ("FATAL:  the database system is starting up", "debug"),
        ("FATAL:  terminating connection due to administrator command", "debug"),
        ("FATAL:  could not open file", "error"),
        ("DETAIL:  Key (id)=(1) already exists.", "debug"),
        ("not of PostgreSQL's form", "debug"),
    ],
)
def test_postgres_is_quiet_below_a_warning(raw: str, expected: str) -> None:
    assert parse_postgres(raw).level == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("9423:M 23 Nov 2026 22:39:20.938 # Out of memory", "warning"),
        ("9423:M 23 Nov 2026 22:39:20.938 * Ready to accept connections tcp", "debug"),
        ("9423:M 23 Nov 2026 22:39:20.938 # WARNING Memory overcommit must be enabled!", "debug"),
        ("9423:signal-handler (1795473562) Received SIGTERM scheduling shutdown...", "debug"),
    ],
)
def test_valkey_is_quiet_below_a_warning(raw: str, expected: str) -> None:
    assert parse_valkey(raw).level == expected
