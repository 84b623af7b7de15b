"""The learning record store: statements, lessons, cohorts and who completed what."""
