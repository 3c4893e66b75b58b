import logging
import os
from collections.abc import Iterator
from types import ModuleType

import pytest

os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # loopback only; read when ray is imported
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ.pop("RAY_ADDRESS", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden records of the committed experiments")


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[ModuleType]:
    """The one Ray cluster of all tests, which this process is connected to: whatever in it needs a cluster uses this one."""
    import ray

    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    yield ray
    ray.shutdown()
