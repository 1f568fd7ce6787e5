"""What citizens said, wherever they said it."""
