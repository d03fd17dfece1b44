"""The product as its users see it: `messenger up` as a black box, with several workers of each service."""
