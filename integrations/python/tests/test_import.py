import subprocess
import sys
from pathlib import Path

import cleannet
import pytest

source = str(Path(__file__).parent.parent / "src")


def test_import_loads_nothing_else():
    code = f"import sys; sys.path.insert(0, {source!r}); import cleannet; print([m for m in ('numpy', 'pandas', 'torch', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_names_are_there_and_documented():
    for name in cleannet.__all__:
        assert getattr(cleannet, name) is not None
        assert name == "__version__" or getattr(cleannet, name).__doc__
    with pytest.raises(AttributeError, match="no_such"):
        cleannet.no_such


def test_errors_are_of_python_too():
    from cleannet.errors import failure

    assert isinstance(failure(65, "x"), ValueError)
    assert isinstance(failure(74, "x"), OSError) and str(failure(74, "why")) == "why"
    assert failure(66, "x").status == 66
    assert type(failure(1, "x")) is cleannet.CleanNetError
