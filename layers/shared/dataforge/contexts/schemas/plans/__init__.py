"""Plans: from one schema to another, proved before they are shown."""
