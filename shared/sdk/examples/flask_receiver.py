"""A Flask application that keeps the newest state of all messages, as the messenger's webhook tells it.

Events may come twice, and a message that changed before it was told comes as `message.edited` at once. So the
state with the highest `pos` is kept, whatever the event is called.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request

from messenger_sdk import WebhookError, verify_webhook


def create_app(secrets: list[str], messages: dict[str, dict[str, Any]]) -> Flask:
    """Returns the application. `secrets` has two while they change; `messages` stands for a database."""
    app = Flask(__name__)

    @app.post("/messenger-webhook")
    def receive() -> Response:
        try:
            event = verify_webhook(request.get_data(), request.headers, secrets)
        except WebhookError:
            return Response(status=401)
        if event["type"] in ("message.new", "message.edited", "message.deleted"):
            message = event["data"]["data"]
            known = messages.get(message["id"])
            if known is None or known["pos"] < message["pos"]:
                messages[message["id"]] = message
        return Response(status=204)

    return app
