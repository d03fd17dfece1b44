"""Tests of presence: rules over an in-memory store, the same contract over Valkey, and the real parts."""
