"""The keys that access tokens are signed and checked with."""
