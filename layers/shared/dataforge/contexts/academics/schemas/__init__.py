"""Wire models of academics."""
