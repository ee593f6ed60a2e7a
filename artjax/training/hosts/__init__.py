"""Several processes of one run: how they join, agree, and notice failures."""
