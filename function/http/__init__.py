"""HTTP: parses events of API Gateway, runs the route, and writes answers and problems."""
