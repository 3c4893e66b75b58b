"""The engine: which blocks, which statistics, where the sums go."""
