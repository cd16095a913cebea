"""Registration, profiles, administration and deletion of accounts."""
