"""Who has completed what, on the evidence of statements."""
