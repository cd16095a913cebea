"""HTTP and nothing but: a route is a signature, a docstring and one call."""
