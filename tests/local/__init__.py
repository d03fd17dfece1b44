"""Tests of the embedded stack: its parts alone, its supervision over real processes, its servers."""
