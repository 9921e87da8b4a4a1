"""The house as a whole: what importing costs."""

import subprocess
import sys


def test_importing_ganlab_imports_no_torch() -> None:
    code = "import ganlab, sys; print([m for m in ('torch', 'pandas', 'torchvision', 'pydantic') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
