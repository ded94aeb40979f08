"""Lets the tidy tests find their helpers; the check of the exceptions runs last."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.name == "test_zz_exceptions_only_shrink")
