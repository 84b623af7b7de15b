"""SQL statements, over one version or over several datasets."""
