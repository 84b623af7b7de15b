"""Schemas of workspaces: designed as JSON, planned and proved, deployed by hash, watched for drift."""
