"""The conformance kit: what a component must do to fit every experiment, checked on a CPU in seconds.

In a plugin's tests, one line puts all that it registers under test:

    @pytest.mark.parametrize("case", cases("hinge_x"), ids=str)
    def test_contract(case):
        case.run()

`ganlab plugin check NAME|PATH` runs the same cases. ganlab's own plugins pass them.
"""

from ganlab.testing.kit import Broken, Case, Finding, NotApplicable, Subject, cases, findings

__all__ = ["Broken", "Case", "Finding", "NotApplicable", "Subject", "cases", "findings"]
