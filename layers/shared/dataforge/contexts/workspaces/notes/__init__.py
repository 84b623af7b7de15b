"""Notes: Markdown with revisions, search, links, trash, import and export."""
