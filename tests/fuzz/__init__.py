"""Generated requests against what is published."""
