"""Attacks on the real stack, by class; `checklist` names the tests of each attack."""
