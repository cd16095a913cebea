"""Versions and the trash."""
