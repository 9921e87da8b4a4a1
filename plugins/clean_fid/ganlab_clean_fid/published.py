"""The two files that hold the Inception of 2015: the same network, in two forms. Imports no torch.

Sizes and digests are those that several independent public repositories record.
"""

from __future__ import annotations

from ganlab import WeightsFile

VARIABLE = "GANLAB_FID_WEIGHTS"

PUBLISHED = (
    WeightsFile(
        name="inception-2015-12-05.pt",
        size=95_607_719,
        sha256="f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
        url="https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/inception-2015-12-05.pt",
        variable=VARIABLE,
        summary="NVIDIA's TorchScript, which clean-fid uses",
    ),
    WeightsFile(
        name="pt_inception-2015-12-05-6726825d.pth",
        size=95_628_359,
        sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        url="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
        variable=VARIABLE,
        summary="named tensors, of pytorch-fid",
    ),
)
