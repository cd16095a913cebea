"""Pages and passwords for people without an account."""
