"""Rules of records: cohorts and their learners, and what travels through the queue."""
