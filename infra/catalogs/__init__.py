"""Keeps the catalogues of mails together with their templates."""
