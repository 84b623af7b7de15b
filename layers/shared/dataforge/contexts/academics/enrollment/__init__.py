"""Students in sections: enrolling, the waitlist, dropping, withdrawing, completing."""
