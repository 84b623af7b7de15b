"""Tables as files: in the answer, or made once and linked to."""
