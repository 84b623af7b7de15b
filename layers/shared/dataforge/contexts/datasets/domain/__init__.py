"""Rules of datasets: who may do what, refs, jobs, reviews, expectations."""
