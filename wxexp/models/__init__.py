"""Networks: a spec and its module in one file.

To add one: a file with `class Mine(Model)` whose `build(ports, parent)` returns a `Network` that takes any size of field, pads itself
and couples no rows of a batch; its export and its name in `__all__` below; `tests/models/test_mine.py` with its facts. The conformance
test already runs over it. How networks are told the noise level is `embeddings.py`, which has its own recipe.
"""

from wxexp.models import embeddings as embeddings
from wxexp.models.song_unet import SongUNet as SongUNet
from wxexp.models.unext import UNeXt as UNeXt
from wxexp.models.uvit import UViT as UViT

__all__ = ["SongUNet", "UNeXt", "UViT"]
