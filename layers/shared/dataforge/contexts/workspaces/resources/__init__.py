"""Global resources: what a person shares with several workspaces."""
