"""Networks on whole pictures of any size."""
