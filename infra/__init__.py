"""The parts of the stack, each a component of resources; `__main__.py` puts them together.

Pulumi identifies a resource by the type of its component, its own type and its name. Under another
one Pulumi creates a new resource and deletes the old one: a table with its rows.
`tests/stack/test_urns.py` holds the list.
"""
