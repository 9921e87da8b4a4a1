"""What a user can mend: one class of error for each exit code."""


class GanlabError(Exception):
    """Carries one clear line (or one line a fault) for the user; the command line prints it and exits with `code`."""

    code = 1


class UsageError(GanlabError):
    """Reports a command line that asks for something impossible."""

    code = 2


class RecipeError(GanlabError):
    """Reports every fault of a recipe at once."""

    code = 3


class DataError(GanlabError):
    """Reports data that are missing, damaged or do not fit."""

    code = 4


class PluginError(GanlabError):
    """Reports a plugin that the command needs and that is broken, disabled or absent."""

    code = 5


class RunError(GanlabError):
    """Reports a run directory or a checkpoint that cannot be used."""

    code = 6


class DeviceError(GanlabError):
    """Reports a machine that lacks what the run needs: device, memory, disk."""

    code = 7


class DivergedError(GanlabError):
    """Reports a loss term that is no longer finite."""

    code = 8


class CollapsedError(GanlabError):
    """Reports a run that its watch ended, after a checkpoint was saved."""

    code = 9


class Interrupted(GanlabError):
    """Reports a run that was stopped by a signal after its checkpoint was saved."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.code = 128 + signal_number
