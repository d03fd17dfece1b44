"""The stores in PostgreSQL. Each module keeps its SQL beside the functions that run it."""
