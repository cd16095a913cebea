"""The parts of the stack that `__main__.py` puts together: settings, policies, components.

Pulumi identifies a resource by the types of its components, its own type and its name, and replaces
it when one of them changes. `tests/stack/production_urns.txt` lists them.
"""
