"""The SDK without asyncio: threads, forks and the example for Django."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import json
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import django
import pytest
from django.conf import settings
from django.test import RequestFactory

from messenger_sdk import BlockingServer, MessengerError, Server
from tests.client import User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd

EXAMPLE = Path(__file__).parents[2] / "shared/sdk/examples/django_view.py"
# Django's, which has no pages here.
urlpatterns: list[object] = []
FORKING = r"""
import os, sys
from messenger_sdk import BlockingServer
server = BlockingServer(*sys.argv[1:3])
[user] = server.put_users([{"external_id": sys.argv[3], "name": "Ada"}])
pid = os.fork()
os.write(1, server.get_user(user["id"])["name"].encode() + b"\n")
if pid:
    sys.exit(os.waitpid(pid, 0)[1])
"""


def public(kind: type) -> dict[str, list[str]]:
    methods = inspect.getmembers(kind, inspect.isfunction)
    return {name: list(inspect.signature(m).parameters) for name, m in methods if not name.startswith("_")}


def test_both_servers_have_the_same_methods() -> None:
    assert public(BlockingServer) == {name: made for name, made in public(Server).items() if name != "close"}


def test_threads_share_one_object(stack: SharedStack, server_key: str) -> None:
    marks = [secrets.token_hex(8) for _ in range(8)]
    server = BlockingServer(stack.url, server_key)
    with ThreadPoolExecutor(8) as threads:
        stored = list(threads.map(lambda mark: server.put_users([{"external_id": mark}])[0], marks))
    assert [user["external_id"] for user in stored] == marks
    assert {user["external_id"] for user in server.list_users()} >= set(marks)
    with pytest.raises(MessengerError, match="not_found"):
        server.get_user(1 + secrets.randbelow(2**52))


def test_a_list_may_be_left_early(stack: SharedStack, server_key: str) -> None:
    server = BlockingServer(stack.url, server_key)
    server.put_users([{"external_id": f"early {n}"} for n in range(3)])
    for user in server.list_users():
        assert user["id"]
        break


async def test_it_is_refused_where_an_event_loop_runs(stack: SharedStack, server_key: str) -> None:
    with pytest.raises(RuntimeError, match="event loop"):
        BlockingServer(stack.url, server_key).get_user(1)


def test_it_works_on_both_sides_of_a_fork(stack: SharedStack, server_key: str) -> None:
    command = [sys.executable, "-W", "error", "-c", FORKING, stack.url, server_key, secrets.token_hex(8)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Ada\nAda\n", "")


@pytest.fixture(scope="module")
def view(stack: SharedStack, server_key: str) -> ModuleType:
    applications = ["django.contrib.auth", "django.contrib.contenttypes"]
    settings.configure(
        INSTALLED_APPS=applications,
        MESSENGER_URL=stack.url,
        MESSENGER_SERVER_KEY=server_key,
        ALLOWED_HOSTS=["testserver"],
        ROOT_URLCONF=__name__,
    )
    django.setup()
    spec = importlib.util.spec_from_file_location("django_view", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_the_django_view_gives_a_token_to_a_signed_in_user(view: ModuleType, crowd: Crowd) -> None:
    # These need the settings.
    from django.contrib.auth.models import AnonymousUser
    from django.contrib.auth.models import User as DjangoUser

    one: User = crowd.newcomer()
    request = RequestFactory().post("/messenger-token")
    request.user = DjangoUser(pk=one.user_id, username="ada", first_name="Ada", last_name="Lovelace")
    answer = await asyncio.to_thread(view.messenger_token, request)
    one.token = json.loads(answer.content)["token"]
    assert (await one.get("/users/me")).body["name"] == "Ada Lovelace"
    request.user = AnonymousUser()
    assert view.messenger_token(request).status_code == 302
