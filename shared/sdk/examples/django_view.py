"""A Django view that gives the signed-in user a token for the messenger.

The settings need `MESSENGER_URL` and `MESSENGER_SERVER_KEY`. In `urls.py`:
`path("messenger-token", django_view.messenger_token)`.
"""

from functools import lru_cache

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from messenger_sdk import BlockingServer


@lru_cache(maxsize=1)
def messenger() -> BlockingServer:
    """Returns the messenger. One object serves all threads of the process."""
    return BlockingServer(settings.MESSENGER_URL, settings.MESSENGER_SERVER_KEY)


@require_POST
@login_required
def messenger_token(request: HttpRequest) -> JsonResponse:
    """Tells the messenger the user's present name, and returns a token for an hour."""
    profile = {"id": request.user.pk, "name": request.user.get_full_name() or request.user.get_username()}
    messenger().put_users([profile])
    return JsonResponse(messenger().create_token(request.user.pk))
