"""One short coroutine per operation, by the noun that it is about; `table` joins them by name."""
