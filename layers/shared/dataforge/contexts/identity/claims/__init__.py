"""Claims: accounts that an import made become those of their people, by a mailed link."""
