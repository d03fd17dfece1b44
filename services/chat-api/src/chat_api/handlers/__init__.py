"""One short coroutine per operation: `messages`, `conversations`; `table` joins them by name."""
