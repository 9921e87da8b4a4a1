"""What the plugin offers, and that offering it is cheap."""

import subprocess
import sys

import ganlab_cgan


def test_components_are_named_and_documented() -> None:
    offered = [*ganlab_cgan.ganlab_architectures(), *ganlab_cgan.ganlab_objectives()]
    assert [component.name for component in offered] == ["cgan", "cgan"]
    assert all(component.summary and component.paper for component in offered)


def test_plugin_and_options_import_no_torch() -> None:
    code = "import ganlab_cgan, ganlab_cgan.options, sys; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
