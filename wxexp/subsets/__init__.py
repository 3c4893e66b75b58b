"""Kind subsets: parts of what is scored that get rows of their own. One file, one export, one test; the list below is the registry.

To add one, subclass `wxexp.interfaces.Subset` in a file here: `cells` says which cells belong to it, bool of the shape of the grid, `cases`
which initial times, bool for each; None is all of them, which is also what either gives that is not written. `region.py` and `months.py`
are an example of each.
"""

from wxexp.subsets.both import Both as Both
from wxexp.subsets.months import Months as Months
from wxexp.subsets.region import Region as Region
from wxexp.subsets.static import Static as Static

__all__ = ["Both", "Months", "Region", "Static"]
