"""The command that makes a report: `python -m core report`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.report_options import SECTIONS


def add_command(commands: Any, add_model: Callable[[argparse.ArgumentParser], None]) -> None:
    """Adds it to the command line.

    Args:
        commands: of the parser (`add_subparsers`).
        add_model: adds the flag that names the checkpoint.
    """
    report = commands.add_parser(
        "report", help="write everything that is known of a model into one HTML file, to read or to print"
    )
    add_model(report)
    report.add_argument(
        "--out",
        type=Path,
        default=Path("report.html"),
        metavar="FILE",
        help="the file (default: %(default)s)",
    )
    report.add_argument("--title", default="", metavar="TEXT", help="the heading (default: by the model)")
    report.add_argument("--comment", default="", metavar="TEXT", help="what you want to say above it all")
    report.add_argument(
        "--sections",
        nargs="+",
        default=list(SECTIONS),
        metavar="NAME",
        help=f"some of {', '.join(SECTIONS)} (default: all)",
    )
    report.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> int:
    from core.report_options import ReportOptions

    wanted = ReportOptions(options.title, options.comment, tuple(options.sections))
    _check_folder(options.out)
    _show(0.0, "Loading the model …")
    from core.report import make_report, write_report  # torch: seconds to import

    report = make_report(options.model, options=wanted, progress=_show)
    write_report(report, options.out)
    print(f"{options.out}: {report.size / 1e6:.2f} MB, sections: {', '.join(wanted.ordered)}")
    return 0


def _check_folder(out: Path) -> None:
    """Asked before the work."""
    from core.errors import ReportError

    if not out.parent.is_dir():
        raise ReportError(f"{out}: there is no folder {out.parent}. Make it, or choose another --out.")
    if out.is_dir():
        raise ReportError(f"{out} is a folder. Name a file in it.")


def _show(share: float, words: str) -> None:
    """The step on one line of stderr, for people alone."""
    if sys.stderr.isatty():
        print(f"\r\033[K{share:4.0%} {words}", end="\n" if share == 1 else "", file=sys.stderr, flush=True)
