"""Judges whether the promises held: `checker` and `views` judge, `lag`, `measurements` and `table` report."""
