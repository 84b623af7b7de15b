"""The Docker Compose way of running the stack."""
