"""Entities and rules of academics; imports nothing but the kernel."""
