"""Bookmarks of Aim's page: what one looks at first in a run.

The state of an explorer is that of Aim's page, version 3.29.1; what is left out takes its default there.
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

VIEWS = {
    "Training loss": (
        "by step",
        {
            "select": {"advancedMode": True, "advancedQuery": "metric.name == 'loss' and metric.context.subset == 'train'"},
            "grouping": {"color": ["run.props.name"], "chart": ["name"]},
        },
    ),
    "CRPS by variable": (
        "the CRPS of validation days by step, a chart for each variable",
        {
            "select": {
                "advancedMode": True,
                "advancedQuery": "metric.name == 'crps' and metric.context.subset == 'valid' and metric.context.variable",
            },
            "grouping": {"color": ["run.props.name"], "chart": ["name", "context.variable"]},
        },
    ),
    "Spread/skill by variable": (
        "spread over skill of validation days by step: 1 where the ensemble is as sure as it should be",
        {
            "select": {
                "advancedMode": True,
                "advancedQuery": "metric.name == 'spread_skill' and metric.context.subset == 'valid' and metric.context.variable",
            },
            "grouping": {"color": ["run.props.name"], "chart": ["name", "context.variable"]},
        },
    ),
}
"""Name to description and state of the metrics explorer."""


def install(address: str) -> None:
    """Adds the bookmarks that are not there.

    Raises:
        OSError: the page does not answer, or refuses.
        ValueError: it answers something else.
    """
    there = {bookmark["name"] for bookmark in _ask(f"{address}/api/dashboards/")}
    for name, (description, state) in VIEWS.items():
        if name not in there:
            app = _ask(f"{address}/api/apps/", {"type": "metrics", "state": state})
            _ask(f"{address}/api/dashboards/", {"name": name, "description": description, "app_id": app["id"]})


def _ask(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)
