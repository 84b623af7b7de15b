"""Notifications: reminders at the right hour, preferences, and who wants no mail any more."""
