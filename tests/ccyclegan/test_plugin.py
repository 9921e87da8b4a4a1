"""What the plugin offers, and that offering it is cheap."""

import subprocess
import sys

import ganlab_ccyclegan


def test_components_are_named_and_documented() -> None:
    offered = {
        "architecture": ganlab_ccyclegan.ganlab_architectures(),
        "objective": ganlab_ccyclegan.ganlab_objectives(),
        "loss": ganlab_ccyclegan.ganlab_losses(),
        "evaluator": ganlab_ccyclegan.ganlab_evaluators(),
    }
    assert {kind: [component.name for component in components] for kind, components in offered.items()} == {
        "architecture": ["ccyclegan", "ccyclegan_t17", "ccyclegan_unet", "ccyclegan_domains", "resnet_classifier"],
        "objective": ["ccyclegan", "ccyclegan_cycle", "ccyclegan_domains", "matching"],
        "loss": ["sigmoid_cce", "softmax_mae", "bce_mse"],
        "evaluator": ["matching"],
    }
    assert all(component.summary and component.paper for components in offered.values() for component in components)


def test_plugin_and_options_import_no_torch() -> None:
    modules = (
        "ganlab_ccyclegan, ganlab_ccyclegan.options, ganlab_ccyclegan.architecture_options, ganlab_ccyclegan.cycle_options"
    )
    code = f"import {modules}, sys; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_torchvision_is_imported_only_where_a_resnet_is_built() -> None:
    code = (
        "import ganlab_ccyclegan.architectures as a, ganlab_ccyclegan.architecture_options as o, ganlab, sys; "
        "data = ganlab.DataSpec(size_px=32, channels=1, label_kind='classes', label_names=('a', 'b')); "
        "a.UnetPair(o.UnetNetworks(width=4), data).networks(); print('torchvision' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
