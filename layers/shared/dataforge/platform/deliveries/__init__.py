"""Deliveries to receivers of others: signed, repeated with growing pauses, dead in the end, and tried again on demand.

The record store sends statements this way (`lrs.forwarding`), and notifications send events (`notifications.webhooks`).
A context keeps two tables: receivers, and deliveries to them. This package says what an attempt leads to.
"""
