"""Checks docker-compose.yml without running any container; `make e2e-compose` runs it for real."""

import importlib
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.file_settings import FileSettings
from messenger_local.configuration import SERVICES as VARIABLES
from messenger_shared.settings.environment import Environment

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
OVERLAY = (ROOT / "deploy/observability/docker-compose.yml").read_text()
S3_TEXT = (ROOT / "deploy/s3/docker-compose.yml").read_text()
S3 = yaml.safe_load(S3_TEXT)["services"]
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("gateway", "chat-api", "presence", "feed")
ONCE = ("roles", "migrate-chat-api", "migrate-presence")


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def test_every_variable_of_the_file_is_in_the_example_and_the_other_way_round() -> None:
    asked = set(re.findall(r"\$\{([A-Z0-9_]+)", TEXT + OVERLAY + S3_TEXT))
    assert asked == example().keys()


def test_no_secret_has_a_default_anywhere() -> None:
    required = set(re.findall(r"\$\{([A-Z0-9_]+):\?", TEXT + OVERLAY + S3_TEXT))
    assert required == {name for name in example() if name.endswith(("SECRET", "PASSWORD"))}
    assert all(example()[name] == "" for name in required)


def test_the_proxy_alone_has_a_port() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert [name for name, service in S3.items() if "ports" in service] == ["proxy"]
    assert all(port.startswith("127.0.0.1:") for port in re.findall(r'- "(\S+:\d+)"\n', OVERLAY))


@pytest.mark.parametrize("name", SERVICES)
def test_each_container_has_no_rights_and_writes_nowhere_but_where_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name != "postgres")
    assert "privileged" not in service


def test_the_s3_store_has_no_rights_and_limits_too() -> None:
    store = S3["s3"]
    for name in ("cap_drop", "security_opt", "read_only", "dns_opt"):
        assert store[name] == SERVICES["gateway"][name]
    assert store["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    # A version, and never whatever is the newest.
    assert re.search(r":v\d+\.\d+\.\d+$", store["image"])


def test_clients_reach_nothing_of_the_s3_store_but_files() -> None:
    assert S3["s3"]["networks"] == S3["gateway"]["networks"] == S3["proxy"]["networks"] == ["files"]
    proxy = (ROOT / "deploy/s3/haproxy.cfg").read_text()
    bucket = S3["gateway"]["environment"]["MESSENGER_FILES_S3_BUCKET"]
    assert f"http-request deny unless {{ path_beg /{bucket}/files/ }}" in proxy
    assert f"/data/buckets/{bucket} " in S3["s3"]["entrypoint"][2]


@pytest.mark.parametrize("name", SERVICES)
def test_each_container_has_limits(name: str) -> None:
    assert SERVICES[name]["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_lost_question_to_the_name_server_is_asked_again_after_a_second(name: str) -> None:
    assert SERVICES[name]["dns_opt"] == ["timeout:1", "attempts:4"]


def test_the_proxy_notices_within_a_second_that_a_gateway_is_gone_or_back() -> None:
    proxy = (ROOT / "deploy/haproxy/haproxy.cfg").read_text()
    assert re.search(r"^ *default-server check inter 500ms fall 2 rise 1 ", proxy, re.MULTILINE)
    # With four tries of this length, a request may wait for an address that is gone.
    assert re.search(r"^ *timeout connect 1s$", proxy, re.MULTILINE)
    assert re.search(r"^ *timeout check 1s$", proxy, re.MULTILINE)
    # Every retry goes to another gateway, not only the last one.
    assert re.search(r"^ *option redispatch 1$", proxy, re.MULTILINE)


def test_presence_and_the_feed_stand_back_where_processors_are_short_and_keep_a_share() -> None:
    shares = {name: SERVICES[name].get("cpu_shares", 1024) for name in OURS}
    assert {name for name, share in shares.items() if share < 1024} == {"presence", "feed"}
    assert min(shares.values()) >= 1024 / 3 - 1


def test_nobody_starts_before_what_he_needs() -> None:
    waits = {
        name: {k: v["condition"] for k, v in SERVICES[name]["depends_on"].items()} for name in (*OURS, *ONCE)
    }
    done, healthy = "service_completed_successfully", "service_healthy"
    assert waits["chat-api"] == {"redis": healthy, "migrate-chat-api": done}
    assert waits["feed"] == waits["chat-api"]
    assert waits["presence"] == {"redis": healthy, "migrate-presence": done}
    assert waits["gateway"] == {"redis": healthy, "chat-api": healthy, "presence": "service_started"}
    assert waits["migrate-chat-api"] == waits["migrate-presence"] == {"roles": done}
    assert waits["roles"] == {"postgres": healthy}


def test_a_gateway_with_an_s3_store_has_no_folder_and_starts() -> None:
    settings = {**SERVICES["gateway"]["environment"], **S3["gateway"]["environment"]}
    values = {name: re.sub(r"\$\{[A-Z0-9_]+:[?-]([^}]*)\}", r"\1", text) for name, text in settings.items()}
    files = FileSettings.read(Environment(values))
    assert files is not None
    assert (files.folder, files.s3 and files.s3.public_url) == (None, "http://localhost:8333")


@pytest.mark.parametrize("service", OURS)
def test_a_service_is_told_only_what_it_knows(service: str) -> None:
    # What the image starts.
    known = {variable.name for variable in VARIABLES[service]} | {"MESSENGER_SERVICE"}
    assert SERVICES[service]["environment"].keys() <= known
    assert S3.get(service, {}).get("environment", {}).keys() <= known


def test_the_gateway_is_in_no_network_of_the_database() -> None:
    assert {name for name, service in SERVICES.items() if "store" in service["networks"]} == {
        *("chat-api", "presence", "feed", "postgres"),
        *ONCE,
    }
    assert COMPOSE["networks"]["store"] == COMPOSE["networks"]["bus"] == {"internal": True}


def test_the_feed_alone_goes_out() -> None:
    leading_out = {name for name, network in COMPOSE["networks"].items() if not network}
    assert leading_out == {"front", "out"}
    assert [name for name, service in SERVICES.items() if "out" in service["networks"]] == ["feed"]


@pytest.mark.parametrize(
    ("service", "factory"),
    [(name, f"{name.replace('-', '_')}.app:create_app") for name in OURS[:3]]
    + [("feed", "chat_api.feed.app:create_app")],
)
def test_a_container_runs_the_service_that_it_is_told(tmp_path: Path, service: str, factory: str) -> None:
    assert SERVICES["feed"]["image"] == SERVICES["chat-api"]["image"]
    assert SERVICES["feed"]["environment"]["MESSENGER_SERVICE"] == "feed"
    command = json.loads(
        re.findall(r"^CMD (\[.*\])$", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)[0]
    )
    gunicorn = tmp_path / "gunicorn"
    gunicorn.write_text('#!/bin/sh\necho "$3"\n')
    gunicorn.chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "MESSENGER_SERVICE": service}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == f"{factory}\n"
    module, name = factory.split(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_the_image_runs_as_nobody_and_is_told_to_end_by_the_usual_signal() -> None:
    last = (ROOT / "deploy/Dockerfile").read_text().split("\nFROM ")[-1]
    assert "\nUSER 10001:10001\n" in last
    assert "\nSTOPSIGNAL SIGTERM\n" in last
    assert "\nHEALTHCHECK " in last
    assert "pip uninstall" in last
