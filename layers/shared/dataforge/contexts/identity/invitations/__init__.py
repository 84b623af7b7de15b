"""Invitations into the organisation: a mailed link by which somebody gets an account, or a role."""
