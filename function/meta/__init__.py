"""The API about itself: health, limits, the OpenAPI document and its page."""
