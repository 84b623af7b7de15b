"""Invitations: a mailed link by which somebody becomes a member."""
