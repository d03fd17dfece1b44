"""The S3 store of tests, as a process: python -m tests.s3.server [PORT]. It prints its port.

It is moto, which keeps objects in memory. What moto doesn't check is checked here, as real stores do:
signatures, lifetimes of URLs, lengths of bodies. CORS is open, as the runbook says for a real bucket.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.s3.signatures import Refused, check

ACCESS_KEY: Final = "key-of-tests"
SECRET_KEY: Final = "a secret for tests"
BUCKET: Final = "files"
_CORS: Final = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, HEAD, PUT"),
    ("Access-Control-Allow-Headers", "*"),
]
Start = Callable[..., Any]
App = Callable[[dict[str, Any], Start], Iterable[bytes]]


class Checked:
    """A WSGI application that passes on what a real store would accept."""

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answers one request."""
        if environ["REQUEST_METHOD"] == "OPTIONS":
            start("200 OK", _CORS)
            return [b""]
        try:
            body = _body(environ)
            headers = {
                name.removeprefix("HTTP_").replace("_", "-").lower(): value
                for name, value in environ.items()
                if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
            }
            check(environ["REQUEST_METHOD"], environ["REQUEST_URI"], headers, body, ACCESS_KEY, SECRET_KEY)
        except Refused as refused:
            start("403 Forbidden", [("Content-Type", "application/xml"), *_CORS])
            return [f"<Error><Code>{refused}</Code><Message>{refused}</Message></Error>".encode()]
        environ["wsgi.input"] = io.BytesIO(body)
        return self._app(environ, lambda status, given, *more: start(status, _with_cors(given), *more))


def _with_cors(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """These headers, without moto's own ones for some of its answers."""
    return [*(header for header in headers if not header[0].startswith("Access-Control-")), *_CORS]


def _body(environ: dict[str, Any]) -> bytes:
    """Raises Refused for a body that is cut off, which moto would keep."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body: bytes = environ["wsgi.input"].read(length) if length else b""
    if len(body) != length:
        raise Refused("IncompleteBody")
    return body


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


def main() -> None:
    """Serves until it is ended."""
    app = Checked(DomainDispatcherApplication(create_backend_app))
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    print(server.port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
