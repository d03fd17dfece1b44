"""Sets up logging: one JSON object per line on standard error. Tokens and message content never appear."""

import logging
import re
import sys
from datetime import UTC, datetime

import orjson

# Whatever looks like a token is replaced, whichever module or library logs it.
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, with control characters escaped."""

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
    """Sends all log records of this process to standard error as JSON. May be called again."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Its only warning lists the subprotocols that a client offers, and one of those is the token.
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)
