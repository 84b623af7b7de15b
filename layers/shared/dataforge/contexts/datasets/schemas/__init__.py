"""Wire models of datasets."""
