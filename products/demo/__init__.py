"""A believable catalogue to look at and to measure with: words, pictures, and making rows in bulk."""
