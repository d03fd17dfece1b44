"""Tests of the web library, as far as they need no browser; the client's are in tests/browser."""
