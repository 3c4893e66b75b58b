"""Where the numbers of a run are shown; aim.py is the only module that imports aim."""
