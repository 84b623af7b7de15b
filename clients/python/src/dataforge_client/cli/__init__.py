"""The program `dataforge`: what the library does, from a shell."""

from dataforge_client.cli.app import main

__all__ = ["main"]
