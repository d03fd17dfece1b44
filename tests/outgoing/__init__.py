"""Requests to the outside: where they may go, and what hostile servers can do to them."""
