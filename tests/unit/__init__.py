"""Tests of pure logic: no servers, no sockets."""
