"""Bugs that are planted in a copy of the product, and the hunt that must find each of them."""
