"""What is stored: manifests, patches and keys as bytes. FORMAT.md tells it."""
