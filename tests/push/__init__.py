"""Tests of push: its wire, its rules, and the push service that other tests use."""
