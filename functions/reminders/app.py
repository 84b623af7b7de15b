"""Reminders, every quarter of an hour."""

from dataforge.bootstrap import reminders_handler

handler = reminders_handler()
