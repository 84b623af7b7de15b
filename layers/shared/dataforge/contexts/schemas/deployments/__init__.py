"""Deployments: a plan carried out, step by step, and what came of it."""
