"""Tests of what files show: real pictures, hostile ones, worker processes that have to end, and scanners."""
