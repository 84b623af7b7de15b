"""Students: holds, overrides, evidence, schedule, transcript, progress."""
