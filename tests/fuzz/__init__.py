"""Generated requests against the published documents."""
