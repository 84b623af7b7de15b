"""Texts of the API and of pages in other languages than English: a gettext catalogue for each in `catalogs`."""
