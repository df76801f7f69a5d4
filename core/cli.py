"""The command line: `python -m core predict | evaluate | calibrate | explain | bench | …`."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core import detector_commands, reporting, studies
from core.errors import DigitscopeError

if TYPE_CHECKING:
    from core.evaluation import Evaluation
    from core.predictor import Predictor
    from core.table import EvaluationTable


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; 0 = done, 1 = something could not be used, 2 = wrong usage."""
    options = _parser().parse_args(arguments)
    options.failed = False  # whether a file could not be used so far
    try:
        return int(options.run(options))
    except DigitscopeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader (`| head`) has had enough; what failed until then has failed
        return int(options.failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description="Digitscope without a screen.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    predict = commands.add_parser("predict", help="name the digit in each picture")
    predict.add_argument("files", nargs="+", metavar="FILE")
    _add_model(predict)
    predict.add_argument("--json", action="store_true", help="one JSON object a line")
    predict.set_defaults(run=_predict)

    evaluate = commands.add_parser("evaluate", help="measure a model on labelled digits")
    _add_model(evaluate)
    evaluate.add_argument(
        "--data",
        default="mnist-test",
        metavar="NAME_OR_PATH",
        help="mnist-train, mnist-validation, mnist-test, optdigits, or a folder or zip of class subfolders "
        "or of pictures with a CSV of labels, an IDX or an NPZ file (default: %(default)s)",
    )
    evaluate.add_argument("--json", action="store_true", help="one JSON object")
    evaluate.add_argument(
        "--record",
        action="store_true",
        help="also write figures on a named set into the model card",
    )
    evaluate.add_argument(
        "--out", type=Path, metavar="FOLDER", help="also write what the model says of every digit, as Parquet"
    )
    evaluate.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="ray: a folder of pictures or of Parquet too large for one machine, into --out; goes on where "
        "it was stopped (default: %(default)s)",
    )
    evaluate.add_argument(
        "--fresh", action="store_true", help="remove an evaluation that is in --out before starting"
    )
    evaluate.set_defaults(run=_evaluate, wrong_usage=evaluate.error)

    calibrate = commands.add_parser(
        "calibrate", help="fit a model's temperature and its refusals on MNIST's validation digits"
    )
    _add_model(calibrate)
    for name, usual in (("error", 10.0), ("refusal", 1.0)):
        calibrate.add_argument(
            f"--cost-of-{name}",
            type=float,
            metavar="X",
            help=f"in any unit; the threshold with the least cost a digit is chosen (default: {usual:g})",
        )
    calibrate.add_argument(
        "--threshold",
        type=float,
        metavar="P",
        help="refuse answers less sure than this, 0 to 1, whatever they cost",
    )
    calibrate.set_defaults(run=_calibrate, wrong_usage=calibrate.error)

    explain = commands.add_parser("explain", help="write a picture of where the model looked")
    explain.add_argument("file", metavar="FILE")
    _add_model(explain)
    explain.add_argument("--out", type=Path, help="the PNG to write (default: FILE.explained.png)")
    explain.add_argument("--target", type=int, metavar="DIGIT", help="evidence for this digit")
    explain.add_argument("--against", type=int, metavar="DIGIT", help="hold the target against this digit")
    explain.add_argument(
        "--method", metavar="NAME", help="gradcam, integrated-gradients, shap, … (default: by the model)"
    )
    explain.add_argument("--layer", help="block1 to block4, for gradcam and guided-gradcam (default: block3)")
    explain.set_defaults(run=_explain)

    detector_commands.add_commands(commands, _add_model)
    studies.add_commands(commands, _add_model)
    reporting.add_command(commands, _add_model)

    weights = commands.add_parser("import-weights", help="make a checkpoint of published weights")
    weights.add_argument(
        "file", type=Path, metavar="FILE", help="a .pt or .pth file of tensors, or a .pkl of NumPy arrays"
    )
    weights.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the checkpoint's folder")
    weights.add_argument(
        "--mean", type=float, help="of the pixels in [0, 1] (default: 0.1307, MNIST's; 0 for arrays)"
    )
    weights.add_argument("--std", type=float, help="likewise (default: 0.3081; 1 for arrays)")
    weights.set_defaults(run=_import_weights)

    bench = commands.add_parser("bench", help="measure speed and accuracy beside their baselines")
    bench.add_argument("--out", type=Path, help="also write the figures to this JSON file")
    bench.set_defaults(run=_bench)
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", default="cnn", metavar="NAME", help="a checkpoint's name or folder (default: %(default)s)"
    )


def _predict(options: argparse.Namespace) -> int:
    from core.answer import answer_of
    from core.predictor import Predictor
    from core.preprocess import prepare

    predictor = Predictor.load(options.model)
    for file in options.files:
        try:
            answer = answer_of(file, predictor, prepare(file))
        except DigitscopeError as error:
            options.failed = True
            print(
                json.dumps({"file": file, "error": str(error)}) if options.json else f"{file}: error: {error}"
            )
            continue
        print(json.dumps(answer.to_json()) if options.json else answer.words)
    return int(options.failed)


def _evaluate(options: argparse.Namespace) -> int:
    from core.card import record_metrics
    from core.datasets import DATASETS, load_dataset
    from core.evaluation import evaluate, evaluate_parts
    from core.predictor import Predictor

    if options.engine == "ray" and not options.out:
        options.wrong_usage("--engine ray needs --out FOLDER, to write to")
    if options.record and options.data not in DATASETS:
        raise DigitscopeError(
            f"--record: {options.data!r} is none of {', '.join(DATASETS)}, and a card holds figures on data "
            "that everybody has. Leave out --record."
        )
    predictor = Predictor.load(options.model)
    if options.out:
        table = _written_table(predictor, options)
        skipped, result = table.about.skipped, evaluate_parts(table.folder, predictor.classes)
    else:
        data = load_dataset(options.data, progress=_progress(options.data)).only(predictor.classes)
        skipped = data.skipped
        result = evaluate(predictor.run(data.images).probabilities, data.labels, predictor.classes)
    if options.record:
        record_metrics(predictor.folder, options.data, result.to_json(), key=predictor.key)
    _show_evaluation(options.data, skipped, result, as_json=options.json)
    return 0


def _written_table(predictor: "Predictor", options: argparse.Namespace) -> "EvaluationTable":
    from core.datasets import load_dataset
    from core.scale import evaluate_here, evaluate_on_ray

    progress = _progress(options.data)
    if options.engine == "ray":
        return evaluate_on_ray(
            Path(options.data), options.out, predictor, fresh=options.fresh, progress=progress
        )
    data = load_dataset(options.data, progress=progress)
    return evaluate_here(data, options.out, predictor, fresh=options.fresh)


def _show_evaluation(name: str, skipped: Sequence[str], result: "Evaluation", *, as_json: bool) -> None:
    for reason in skipped:
        print(f"skipped: {reason}", file=sys.stderr)
    if as_json:
        keys = ("n", "accuracy", "errors", "per_class", "ece", "interval_95")
        measured = result.to_json()
        row = {"dataset": name, **{key: measured[key] for key in keys}, "skipped": len(skipped)}
        print(json.dumps(row))
        return
    low, high = result.to_json()["interval_95"]
    print(f"{name}: {result.n} digits, {result.errors} errors, accuracy {result.accuracy:.2%}", end=" ")
    print(f"(95 % interval {low:.2%} to {high:.2%}), ECE {result.reliability.ece:.2%}")
    for digit, counts in result.per_class.items():
        print(f"  {digit}: {counts['errors']:4} errors in {counts['n']}")
    if skipped:
        print(f"{len(skipped)} skipped, named above")


def _calibrate(options: argparse.Namespace) -> int:
    given = {"error": options.cost_of_error, "refusal": options.cost_of_refusal}
    given = {name: cost for name, cost in given.items() if cost is not None}
    if given and options.threshold is not None:
        options.wrong_usage("give the costs or --threshold, not both")
    from core.abstention import Costs
    from core.fitting import SPLIT, calibrate
    from core.predictor import Predictor

    predictor = Predictor.load(options.model)
    found, card = calibrate(
        predictor, costs=Costs(**given), threshold=options.threshold, progress=_progress(SPLIT)
    )
    print(
        f"{predictor.folder}: temperature {found.temperature:.3f}, fitted on {found.after.n:,} digits of "
        f"{SPLIT}"
    )
    before, after = found.before.ece.value, found.after.ece.value
    print(f"{SPLIT}: ECE {before:.2%} before, {after:.2%} after")
    for name in (name for name in card.metrics if name != SPLIT and name in predictor.card.metrics):
        old, new = predictor.card.metrics[name]["ece"], card.metrics[name]["ece"]
        print(f"{name}: ECE {old:.2%} as it was recorded, {new:.2%} now")
    print(f"refuses answers less sure than {found.point.threshold:.4g}. {found.point.words} ({SPLIT})")
    return 0


def _explain(options: argparse.Namespace) -> int:
    from core.explanation import default_method, explain
    from core.overlay import overlay
    from core.predictor import Predictor
    from core.preprocess import prepare

    predictor = Predictor.load(options.model)
    prepared = prepare(options.file)
    method = options.method or default_method(predictor)
    result = explain(
        predictor,
        prepared,
        method=method,
        target=options.target,
        layer=options.layer,
        against=options.against,
    )
    out = options.out or Path(options.file + ".explained.png")
    try:
        overlay(prepared.pixels, result).save(out, format="PNG")
    except OSError as error:
        raise DigitscopeError(f"{out} can't be written ({error.strerror}). Choose another --out.") from error
    scale = "±" if result.signed else "0 to "
    note = result.note or f"evidence for {result.question}, scale {scale}{result.strength:.3g} (logit)"
    print(f"{out}: {note}, by {result.method} at {result.layer}")
    return 0


def _import_weights(options: argparse.Namespace) -> int:
    from core.published import import_weights

    normalisation = {
        name: getattr(options, name) for name in ("mean", "std") if getattr(options, name) is not None
    }
    card = import_weights(options.file, options.out, normalisation=normalisation)
    print(f"{options.out}: {card.architecture}, {card.parameters:,} parameters")
    return 0


def _bench(options: argparse.Namespace) -> int:
    from core.bench import main as bench

    bench(options.out)
    return 0


def _progress(data: str) -> Callable[[int, int], None]:
    """What is being waited for, on stderr and only for people."""
    from core.datasets import MNIST_PARTS

    if data in MNIST_PARTS:
        return _fetching
    from tqdm import tqdm

    bar = tqdm(desc="preparing", unit="picture", delay=1, disable=not sys.stderr.isatty())

    def show(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)
        if done == total:
            bar.close()

    return show


def _fetching(done: int, total: int) -> None:
    """A line a file: torchvision shows a bar of its own below each."""
    if done < total and sys.stderr.isatty():
        print(f"fetching MNIST, file {done + 1} of {total}", file=sys.stderr)
