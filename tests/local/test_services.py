"""Tests of the command lines and settings with which the services start."""

from pathlib import Path

import pytest

from messenger_local.child import Backoff
from messenger_local.datadir import DataDir
from messenger_local.failure import StackError
from messenger_local.services import (
    SERVICES,
    Address,
    StackContext,
    environment,
    migration,
    parse_workers,
    remove_foreign_settings,
    service_spec,
)


@pytest.fixture
def context(tmp_path: Path) -> StackContext:
    urls = {
        "chat-api": "postgresql://chat@db",
        "presence": "postgresql://presence@db",
        "feed": "postgresql://chat@db",
    }
    redis_urls = {service: f"redis://{service}@r" for service in SERVICES}
    address = Address("127.0.0.1", 8080)
    return StackContext(DataDir(tmp_path), "postgresql://owner@db", urls, "redis://r", redis_urls, address)


def test_who_is_not_named_keeps_the_default_count() -> None:
    defaults = {"gateway": 2, "chat-api": 2, "presence": 1, "feed": 1, "redis": 1}
    assert parse_workers("") == defaults
    assert parse_workers("gateway=4, redis=2") == {**defaults, "gateway": 4, "redis": 2}


def test_the_feed_alone_may_be_left_out() -> None:
    assert parse_workers("feed=0")["feed"] == 0


@pytest.mark.parametrize(
    "text",
    ["gateway", "gateway=", "gateway=0", "gateway=-1", "gateway=99", "web=1", "=1", "redis=0", "feed=-1"],
)
def test_bad_worker_counts_are_refused(text: str) -> None:
    with pytest.raises(StackError, match="--workers"):
        parse_workers(text)


def test_the_gateway_knows_redis_and_the_secret_and_no_database(context: StackContext) -> None:
    env = environment("gateway", context)
    assert env["MESSENGER_REDIS_URL"] == "redis://gateway@r"
    assert env["MESSENGER_JWT_SECRET_FILE"] == str(context.data.secret)
    assert "MESSENGER_DATABASE_URL" not in env


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ("chat-api", "postgresql://chat@db"),
        ("presence", "postgresql://presence@db"),
        ("feed", "postgresql://chat@db"),
    ],
)
def test_the_others_know_the_database_and_no_secret(context: StackContext, service: str, url: str) -> None:
    env = environment(service, context)
    assert env["MESSENGER_DATABASE_URL"] == url
    assert "MESSENGER_JWT_SECRET_FILE" not in env


def test_requests_to_the_outside_may_go_to_this_machine_unless_the_user_says_otherwise(
    context: StackContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "MESSENGER_OUTGOING_LOOPBACK"
    assert [environment(service, context).get(name) for service in ("chat-api", "feed")] == ["1", "1"]
    assert name not in environment("gateway", context)
    monkeypatch.setenv(name, "0")
    assert environment("feed", context)[name] == "0"


@pytest.mark.parametrize("package", ["chat_api", "presence"])
def test_migrations_run_as_the_owner(context: StackContext, package: str) -> None:
    assert migration(package, context).env["MESSENGER_DATABASE_URL"] == "postgresql://owner@db"


def test_the_users_own_settings_reach_the_services(
    context: StackContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESSENGER_MESSAGES_PER_S", "0")
    monkeypatch.setenv("MESSENGER_ALLOWED_ORIGINS", "https://app.example")
    env = environment("gateway", context)
    assert env["MESSENGER_MESSAGES_PER_S"] == "0"
    assert env["MESSENGER_ALLOWED_ORIGINS"] == (
        "http://127.0.0.1:8080,http://localhost:8080,https://app.example"
    )


@pytest.mark.parametrize(
    "name", ["PGHOST", "PGSSLMODE", "GUNICORN_CMD_ARGS", "MESSENGER_JWT_SECRET", "MESSENGER_DATABASE_URL"]
)
def test_settings_of_other_servers_do_not(
    context: StackContext, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "elsewhere")
    remove_foreign_settings()
    assert name not in environment("gateway", context)


def test_a_worker_is_never_ended_by_its_master_before_the_supervisor_would(context: StackContext) -> None:
    address = Address("127.0.0.1", 1)
    for name in SERVICES:
        spec = service_spec(name, address, 1, context)
        assert spec.stop_timeout_s - 1 <= float(spec.command.env["MESSENGER_GRACEFUL_S"])


@pytest.mark.parametrize(
    ("host", "bind", "url"),
    [
        ("127.0.0.1", "127.0.0.1:80", "http://127.0.0.1:80"),
        ("0.0.0.0", "0.0.0.0:80", "http://127.0.0.1:80"),
        ("::", "[::]:80", "http://[::1]:80"),
    ],
)
def test_a_url_can_be_opened_on_this_machine(host: str, bind: str, url: str) -> None:
    address = Address(host, 80)
    assert (str(address), address.url) == (bind, url)


def test_the_pause_before_a_restart_doubles_and_is_forgotten_after_health() -> None:
    backoff = Backoff()
    assert [backoff.next(1) for _ in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert [backoff.next(31), backoff.next(0)] == [0.2, 0.4]
