"""Health, queues and what operators look at."""
