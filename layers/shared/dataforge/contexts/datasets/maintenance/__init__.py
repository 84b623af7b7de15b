"""Keeping the storage of datasets small and whole."""
