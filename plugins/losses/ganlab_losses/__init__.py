"""The losses that many variants share."""

from ganlab import Component, hookimpl


@hookimpl
def ganlab_losses() -> list[Component]:
    """Offer each formula by name."""
    formulas, options = "ganlab_losses.formulas", "ganlab_losses.options"
    return [
        Component(
            "bce",
            f"{formulas}:BinaryCrossEntropy",
            options=f"{options}:BinaryCrossEntropyOptions",
            family="adversarial",
            summary="non-saturating binary cross-entropy on logits; targets of real images by option",
            paper="Goodfellow et al., 2014",
        ),
        Component(
            "binary",
            f"{formulas}:BinaryClassification",
            options=f"{options}:NoOptions",
            family="classification",
            summary="binary cross-entropy of each label on its own",
        ),
        Component(
            "categorical",
            f"{formulas}:CategoricalClassification",
            options=f"{options}:NoOptions",
            family="classification",
            summary="cross-entropy of a softmax over the classes",
        ),
        Component(
            "l1",
            f"{formulas}:L1",
            options=f"{options}:NoOptions",
            family="distance",
            summary="absolute difference",
        ),
        Component(
            "l2",
            f"{formulas}:L2",
            options=f"{options}:NoOptions",
            family="distance",
            summary="squared difference",
        ),
        Component(
            "none",
            f"{formulas}:NoPenalty",
            options=f"{options}:NoOptions",
            family="penalty",
            summary="no penalty; nothing is computed",
        ),
    ]
