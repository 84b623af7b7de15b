"""Where metadata and engine meet: versions are loaded, computed in threads, and published in one transaction."""
