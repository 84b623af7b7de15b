"""Files into versions."""
