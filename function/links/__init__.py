"""Links: addresses at which people without an account see and download files."""
