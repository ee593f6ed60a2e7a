"""What a run reports: metrics, speed, progress."""
