"""The Lambda: one package for each noun of the API, above the layers that they share."""
