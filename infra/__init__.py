"""The longer parts of the stack, each a component that `__main__.py` puts in its place."""
