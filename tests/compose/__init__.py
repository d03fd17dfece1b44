"""Runs docker-compose.yml for real: `python -m tests.compose`, or `make e2e-compose`."""
