"""Flat rows and progress made anew from stored statements: after a change of the rules, or because somebody asks."""
