"""In place of API Gateway: HTTP requests in, Lambda events to the handler, HTTP responses out."""
