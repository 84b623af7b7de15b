"""What is stored: manifests, patches and keys as bytes. See FORMAT.md."""
