"""Versions as Apache Iceberg tables, for engines that are larger than a function."""
