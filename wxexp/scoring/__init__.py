"""The engine: which cases, which statistics, where the sums go, and the table they give.

`prepare` plans and fits baselines, `score` computes sums per case over workers, `maps` scores per cell, `finalise` the rows of the table.
"""

from wxexp.scoring.engine import prepare as prepare, score as score
from wxexp.scoring.maps import maps as maps
from wxexp.scoring.sums import CaseSums as CaseSums
from wxexp.scoring.table import finalise as finalise, open_sums as open_sums, read_table as read_table, write_table as write_table
from wxexp.statistics.crps import crps as crps

__all__ = ["CaseSums", "crps", "finalise", "maps", "open_sums", "prepare", "read_table", "score", "write_table"]
