"""Kind likelihoods: one file, one export, one test of its own facts. The list below is the registry."""

__all__: list[str] = []
