"""Read models of datasets: SQL to rows to answers."""
