"""One short coroutine per operation: `messages`, `receipts`, `conversations`; `table` joins them by name."""
