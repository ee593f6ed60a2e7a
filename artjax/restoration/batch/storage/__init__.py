"""Pictures, results and journals in object stores."""
