"""Attacks over the real stack, by class; `checklist` tells which test tries which attack."""
