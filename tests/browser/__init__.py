"""Tests that drive the gateway's pages in a real browser."""
