"""Tests of one service's stores over real PostgreSQL."""
