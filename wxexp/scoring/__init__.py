"""The engine: which cases, which statistics, where the sums go, and the table they give.

`prepare` plans and fits baselines, `score` computes sums of each case and cell over workers, `scattered` the same of members that are not
stored, `reuse` finds sums that are there, `finalise` the rows of the table. `climate_indices` are of whole series, which sums are not.
"""

from wxexp.scoring.engine import prepare as prepare, score as score
from wxexp.scoring.plan import work as work
from wxexp.scoring.earlier import reuse as reuse
from wxexp.scoring.climate import climate_indices as climate_indices
from wxexp.scoring.scatter import scattered as scattered
from wxexp.scoring.sums import CaseSums as CaseSums
from wxexp.scoring.table import finalise as finalise, open_sums as open_sums, read_table as read_table, write_table as write_table
from wxexp.statistics.crps import crps as crps

__all__ = [
    "CaseSums",
    "climate_indices",
    "crps",
    "finalise",
    "open_sums",
    "prepare",
    "read_table",
    "reuse",
    "scattered",
    "score",
    "work",
    "write_table",
]
