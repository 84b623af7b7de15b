"""Files to rows: encoding, dialect, exact splitting, types, CSV, archives, workbooks, Parquet, JSON lines."""
