"""DataForge: the data backend of a training organisation."""
