"""Properties are tried with the same examples each time, and are never hurried."""

from hypothesis import settings

settings.register_profile("quick", deadline=None, derandomize=True, max_examples=80)
settings.load_profile("quick")
