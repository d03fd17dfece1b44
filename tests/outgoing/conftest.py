"""Names without DNS."""

import pytest

from tests.outgoing.servers import Names


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)
