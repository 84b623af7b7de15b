"""Zips: vaults and folders of notes that come in and go out as one file."""
