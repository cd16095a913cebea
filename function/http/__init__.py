"""The edge: events of API Gateway become requests, results and errors become responses."""
