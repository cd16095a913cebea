"""File requests: people without an account upload into a folder."""
