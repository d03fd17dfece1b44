"""Tests of what the three services are told when they are started."""

from pathlib import Path

import pytest

from messenger_local.child import Backoff
from messenger_local.datadir import DataDir
from messenger_local.failure import StackError
from messenger_local.services import (
    SERVICES,
    Address,
    Surroundings,
    environment,
    forget_foreign_settings,
    migration,
    parse_workers,
    service_recipe,
)


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    urls = {"chat-api": "postgresql://chat@db", "presence": "postgresql://presence@db"}
    redis_urls = {service: f"redis://{service}@r" for service in SERVICES}
    address = Address("127.0.0.1", 8080)
    return Surroundings(DataDir(tmp_path), "postgresql://owner@db", urls, "redis://r", redis_urls, address)


def test_who_is_not_named_keeps_the_default_count() -> None:
    assert parse_workers("") == {"gateway": 2, "chat-api": 2, "presence": 1}
    assert parse_workers("gateway=4, presence=2") == {"gateway": 4, "chat-api": 2, "presence": 2}


@pytest.mark.parametrize(
    "text", ["gateway", "gateway=", "gateway=0", "gateway=-1", "gateway=99", "web=1", "=1"]
)
def test_bad_worker_counts_are_refused(text: str) -> None:
    with pytest.raises(StackError, match="--workers"):
        parse_workers(text)


def test_the_gateway_knows_redis_and_the_secret_and_no_database(around: Surroundings) -> None:
    env = environment("gateway", around)
    assert env["MESSENGER_REDIS_URL"] == "redis://gateway@r"
    assert env["MESSENGER_JWT_SECRET_FILE"] == str(around.data.secret)
    assert "MESSENGER_DATABASE_URL" not in env


@pytest.mark.parametrize(
    ("service", "url"),
    [("chat-api", "postgresql://chat@db"), ("presence", "postgresql://presence@db")],
)
def test_the_others_know_the_database_and_no_secret(around: Surroundings, service: str, url: str) -> None:
    env = environment(service, around)
    assert env["MESSENGER_DATABASE_URL"] == url
    assert "MESSENGER_JWT_SECRET_FILE" not in env


@pytest.mark.parametrize("package", ["chat_api", "presence"])
def test_migrations_run_as_the_owner(around: Surroundings, package: str) -> None:
    assert migration(package, around).env["MESSENGER_DATABASE_URL"] == "postgresql://owner@db"


def test_the_users_own_settings_reach_the_services(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESSENGER_MESSAGES_PER_S", "0")
    monkeypatch.setenv("MESSENGER_ALLOWED_ORIGINS", "https://app.example")
    env = environment("gateway", around)
    assert env["MESSENGER_MESSAGES_PER_S"] == "0"
    assert env["MESSENGER_ALLOWED_ORIGINS"] == (
        "http://127.0.0.1:8080,http://localhost:8080,https://app.example"
    )


@pytest.mark.parametrize(
    "name", ["PGHOST", "PGSSLMODE", "GUNICORN_CMD_ARGS", "MESSENGER_JWT_SECRET", "MESSENGER_DATABASE_URL"]
)
def test_settings_of_other_servers_do_not(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "elsewhere")
    forget_foreign_settings()
    assert name not in environment("gateway", around)


def test_all_stop_bounds_together_stay_below_twenty_seconds(around: Surroundings) -> None:
    address = Address("127.0.0.1", 1)
    recipes = [service_recipe(name, address, 1, around) for name in ("gateway", "chat-api", "presence")]
    for recipe in recipes:
        assert float(recipe.command.env["MESSENGER_GRACEFUL_S"]) < recipe.patience_s
    servers_s = 1.0 + 3.0
    assert sum(recipe.patience_s for recipe in recipes) + servers_s <= 16


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
