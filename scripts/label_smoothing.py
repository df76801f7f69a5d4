"""Measures what label smoothing did to a trained network: `docs/results/label-smoothing.json`.

python train.py cnn --recipe reference --epochs 10 --out runs/stages/smoothed
python -m scripts.label_smoothing runs/stages/smoothed
"""

import argparse
from pathlib import Path

from core.predictor import Predictor
from core.smoothing import RECORD, measure_lesson, write_lesson


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("checkpoint", help="of a run of --recipe reference, of any number of epochs")
    parser.add_argument("--out", type=Path, default=RECORD, help="the record (default: %(default)s)")
    options = parser.parse_args()
    found = measure_lesson(Predictor.load(options.checkpoint), "reference")
    write_lesson(found, options.out)
    before, after = (found.calibration[stage].ece.value for stage in ("before", "after"))
    print(
        f"{options.out}: {found.epochs} epochs, accuracy {found.accuracy:.2%}, confidence "
        f"{found.confidence:.2%}, ECE {before:.2%}, with T = {found.temperature:.3f} {after:.2%}"
    )


if __name__ == "__main__":
    main()
