"""What the plugin offers, and that offering it is cheap."""

import subprocess
import sys

import ganlab_ccyclegan


def test_components_are_named_and_documented() -> None:
    offered = [
        *ganlab_ccyclegan.ganlab_architectures(),
        *ganlab_ccyclegan.ganlab_objectives(),
        *ganlab_ccyclegan.ganlab_losses(),
    ]
    assert [component.name for component in offered] == ["ccyclegan", "ccyclegan", "sigmoid_cce"]
    assert all(component.summary and component.paper for component in offered)


def test_plugin_and_options_import_no_torch() -> None:
    code = "import ganlab_ccyclegan, ganlab_ccyclegan.options, sys; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
