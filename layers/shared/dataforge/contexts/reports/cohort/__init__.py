"""Who of a cohort has completed which lesson."""
