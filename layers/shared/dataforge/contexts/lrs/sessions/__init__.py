"""cmi5 sessions: one launch of a course player each, with the rules that its statements keep."""
