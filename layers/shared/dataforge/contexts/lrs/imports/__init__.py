"""Imports: statements of other stores, and of exports, with their ids and the times they were stored."""
