"""Claims; being written."""

from ganlab.testing.kit import Claim, Subject


def claims(subject: Subject) -> tuple[Claim, ...]:
    """Return the claims."""
    return ()
