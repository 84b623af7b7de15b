"""The rules of notes: paths, limits, revisions, links, and the words that a search finds them by."""
