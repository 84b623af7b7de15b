"""Notes: Markdown texts of a vault with paths, revisions, links and search."""
