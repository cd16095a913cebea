"""The Postman collection, made from the OpenAPI document and the requests of this package.

`collection` makes it; `files`, `sharing` and `accounts` say which requests it has, in which order.
"""
