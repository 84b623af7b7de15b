"""Feeds: addresses with a secret from which calendars fetch the meetings of a learner, a section or an instructor."""
