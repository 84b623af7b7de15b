"""Versioned datasets: import, branch, diff, merge and export tables of millions of rows."""
