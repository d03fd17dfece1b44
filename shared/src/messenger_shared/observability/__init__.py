"""What a service tells of itself: `metrics` for Prometheus, `logs` as JSON lines, `worker_metrics` on its own
health.
"""
