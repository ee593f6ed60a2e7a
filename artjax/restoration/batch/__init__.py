"""Many picture files: found, planned together, restored one by one."""
