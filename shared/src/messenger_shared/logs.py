"""Owns how the services log: one JSON object a line on standard error, never a token, never content."""

import logging
import re
import sys
from datetime import UTC, datetime

import orjson

# What looks like one gets into no line, whoever wrote it.
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON; control characters can't break out of it."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        trace = getattr(record, "trace", None)
        if trace:
            line["trace"] = trace
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _TOKEN.sub("<token>", orjson.dumps(line, default=str).decode())


def configure(service: str, level: int = logging.INFO) -> None:
    """Sends every record of this process to standard error in the one form. Safe to repeat."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Its one warning holds all subprotocols that a client offers, of which one is the token.
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)
