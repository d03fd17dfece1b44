"""Says where requests to the outside may go, as far as that is known without a look-up."""

from __future__ import annotations

from yarl import URL

from chat_api.outgoing.addresses import AddressRule
from chat_api.outgoing.settings import OutgoingSettings
from chat_api.outgoing.urls import check_host, parse


class Destinations:
    """The URLs to which the settings let requests go. `rules` has which addresses, by scheme."""

    def __init__(self, settings: OutgoingSettings) -> None:
        self.rules: dict[str, AddressRule] = {"https": settings.rule}
        if settings.plain_rule is not None:
            self.rules["http"] = settings.plain_rule

    def check(self, url: str) -> URL:
        """The URL as requests take it. Raises BadUrl if they are refused."""
        target = parse(url, plain_text="http" in self.rules)
        check_host(target, self.rules[target.scheme])
        return target
