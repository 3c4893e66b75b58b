import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """Fields of sixteen cells gain nothing from more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
