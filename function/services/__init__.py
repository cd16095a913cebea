"""The rules: who may, until when, how often, how big, in which order."""
