"""The same jobs against a running Satchel: `pytest tests/e2e --e2e http://127.0.0.1:8000`."""
