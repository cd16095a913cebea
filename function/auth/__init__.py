"""Login, sessions, API keys, second factor, passwords."""
