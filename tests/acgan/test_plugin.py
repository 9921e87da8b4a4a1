"""What the plugin offers, and that offering it is cheap."""

import subprocess
import sys

import ganlab_acgan


def test_components_are_named_and_documented() -> None:
    offered = [
        *ganlab_acgan.ganlab_architectures(),
        *ganlab_acgan.ganlab_objectives(),
        *ganlab_acgan.ganlab_losses(),
    ]
    assert [component.name for component in offered] == ["acgan", "smile_acgan", "acgan", "smile_acgan", "softmax_bce"]
    assert all(component.summary and component.paper for component in offered)


def test_plugin_and_options_import_no_torch() -> None:
    code = "import ganlab_acgan, ganlab_acgan.options, ganlab_acgan.smile_options, sys; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
