"""Pictures restored by workers on several machines."""
