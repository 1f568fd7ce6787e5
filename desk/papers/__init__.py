"""Official papers: one document, rendered as docx, xlsx, PDF and a page to print."""
