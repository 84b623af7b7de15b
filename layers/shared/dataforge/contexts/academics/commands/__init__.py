"""What can be done: command dataclasses, each with its handler."""
