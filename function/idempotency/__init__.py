"""Requests with an `Idempotency-Key`: what one creates is created once."""
