"""The committed OpenAPI document and error codes, written from the code, and what may not be taken from them."""
