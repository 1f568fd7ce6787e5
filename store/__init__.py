"""What is kept, and the words every room shares."""
