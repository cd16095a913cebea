"""Health, limits, the OpenAPI document and its page."""
