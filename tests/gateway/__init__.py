"""Tests of the gateway's parts over the in-memory bus."""
