"""A realistic catalogue for demos and benchmarks: words, pictures, and rows in bulk."""
