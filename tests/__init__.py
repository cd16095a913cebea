"""The tests of Satchel."""
