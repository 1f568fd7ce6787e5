"""Who must act, by when, and did they."""
