"""Proposals to merge one branch into another."""
