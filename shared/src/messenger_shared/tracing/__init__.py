"""Tracing: `setup` is its switch, `spans` makes the spans. Where it is off, `spans` is never imported."""
