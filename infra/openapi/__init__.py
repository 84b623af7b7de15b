"""The committed OpenAPI document and the list of error codes, written from the code."""
