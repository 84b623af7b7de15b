"""Merges: somebody's account and the one that an import made for their address become one."""
