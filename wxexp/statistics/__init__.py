"""Pure mathematics of verification: kernels, mergeable sums, spectra, bootstrap."""
