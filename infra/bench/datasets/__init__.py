"""Benches of the versioned-table engine, with its peers and the pyarrow floor in the same run."""
