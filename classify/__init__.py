"""What it is about, and how sure we are."""
