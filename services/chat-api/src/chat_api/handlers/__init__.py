"""Handlers of operations, one module per resource. `table` maps operation names to handlers."""
