"""What reads the OpenAPI document: the Postman collection, and programs in other languages."""
