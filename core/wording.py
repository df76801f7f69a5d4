"""Figures in words, the same on a page, in a file and on the command line."""

from collections.abc import Sequence

NOT_MEASURED = "not measured"


def percent(share: float, digits: int = 1) -> str:
    """A share in [0, 1] as a percentage that never rounds to a certainty that it is not."""
    least = 10.0**-digits
    value = 100 * share
    if 100 - least / 2 <= value < 100:
        return f"> {100 - least:.{digits}f} %"
    if 0 < value < least / 2:
        return f"< {least:.{digits}f} %"
    return f"{value:.{digits}f} %"


def listed(numbers: Sequence[int]) -> str:
    """`0 to 9`, or `3 and 7`."""
    if len(numbers) > 2 and list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]} to {numbers[-1]}"
    return " and ".join(map(str, numbers))


def duration(seconds: float) -> str:
    """Minutes where seconds would be a large number."""
    if seconds >= 90:
        return f"{seconds / 60:.0f} minutes"
    if seconds < 0.5:
        return "less than a second"
    return "1 second" if seconds < 1.5 else f"{seconds:.0f} seconds"
