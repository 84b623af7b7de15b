"""Parsing and loops for SQS, S3 and schedule events."""
