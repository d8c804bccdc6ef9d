"""What both ends agree on: every document, every refusal, every limit."""
