"""The audit of packages fails on a known vulnerability, and never takes a missing answer for a clean one."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LIMIT_S = 60
HOLE: dict[str, Any] = {
    "id": "TEST-1",
    "modified": "2026-01-01T00:00:00Z",
    "summary": "a hole in aiohttp",
    "affected": [{"package": {"name": "aiohttp", "ecosystem": "PyPI"}, "ranges": [], "versions": []}],
}


class Advisories(BaseHTTPRequestHandler):
    """An OSV server that reports vulnerabilities of the packages in `holed`."""

    holed: frozenset[str] = frozenset()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        names = [query["package"]["name"] for query in body["queries"]]
        row = {"vulns": [{"id": HOLE["id"], "modified": HOLE["modified"]}]}
        self._answer({"results": [row if name in self.holed else {} for name in names]})

    def do_GET(self) -> None:
        self._answer(HOLE)

    def _answer(self, document: object) -> None:
        data = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def advisories(request: pytest.FixtureRequest) -> Iterator[str]:
    handler = type("Some", (Advisories,), {"holed": frozenset(request.param)})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def audit(url: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "ADVISORIES_URL": url, "UV_HTTP_RETRIES": "0"}
    return subprocess.run(
        [ROOT / ".ci/audit", "python"], env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


@pytest.mark.parametrize("advisories", [("aiohttp",)], indirect=True)
def test_a_known_hole_fails_it_and_is_named(advisories: str) -> None:
    result = audit(advisories)
    assert result.returncode == 1, result
    assert "TEST-1" in result.stdout + result.stderr


@pytest.mark.parametrize("advisories", [("no package of ours",)], indirect=True)
def test_where_none_is_known_it_passes(advisories: str) -> None:
    result = audit(advisories)
    assert result.returncode == 0, result


def test_where_nobody_can_be_asked_it_says_so_and_does_not_pass() -> None:
    result = audit("http://127.0.0.1:9/")
    assert result.returncode == 2, result
    assert "nothing is known of uv.lock" in result.stderr
