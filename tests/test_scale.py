"""Evaluations on Ray: workers and drivers are killed for real, and the rows are those of one process."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import psutil
import pyarrow as pa
import pytest

from core.cli import main
from core.paths import ROOT
from core.predictor import Predictor
from core.table import EvaluationTable
from tests.tables import assert_same_rows, draw, expected_rows

T = TypeVar("T")
PICTURES, SHARD_SIZE = 120, 4
PARTS = 31  # one picture cannot be used
# Small shards, so that there is a middle; the command line has no flag for them.
DRIVER = f"""
import sys
from pathlib import Path
from core import scale
scale.CORES = 2
predictor = scale.Predictor.load(sys.argv[3])
scale.evaluate_on_ray(Path(sys.argv[1]), Path(sys.argv[2]), predictor, shard_size={SHARD_SIZE})
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Large enough that a shard takes time."""
    dataset = tmp_path_factory.mktemp("large") / "pictures"
    for seed in range(PICTURES):
        draw(dataset / str(seed % 10) / f"{seed}.png", seed, side=400)
    (dataset / "9" / "z.png.broken").write_bytes(b"no picture")
    return dataset


@pytest.fixture(scope="module")
def expected(pictures: Path, cnn: Predictor) -> pa.Table:
    return expected_rows(pictures, cnn)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def environment() -> dict[str, str]:
    pytest.importorskip("ray", reason="pip install -r requirements-scale.txt")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return ours | {"OMP_NUM_THREADS": "1"}


@pytest.fixture
def driver(pictures: Path, out: Path, cnn_folder: Path, environment) -> Iterator[psutil.Popen]:
    """An evaluation by two workers, under way; of its processes none is left."""
    command = [sys.executable, "-c", DRIVER, str(pictures), str(out), str(cnn_folder)]
    process = psutil.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    yield process
    end_all([process, *family_of(process)])


def end_all(processes: list[psutil.Process]) -> None:
    for process in processes:
        if process.is_running():
            process.kill()
    psutil.wait_procs(processes, timeout=30)


def family_of(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def parts(out: Path) -> list[Path]:
    return sorted(out.glob("part-*.parquet"))


def until(found: Callable[[], T], driver: psutil.Popen) -> T:
    """What it gives as soon as it gives something; the driver may not end before."""
    end = time.monotonic() + 120
    while not (value := found()):
        assert driver.poll() is None, driver.stderr.read()
        assert time.monotonic() < end, "two minutes have passed"
        time.sleep(0.005)
    return value


def stopped_at_work(driver: psutil.Popen) -> list[psutil.Process]:
    """A worker that was stopped in the middle of a shard, by what Ray calls its process."""
    for process in family_of(driver):
        try:
            if "_evaluate_shards" in " ".join(process.cmdline()):
                process.suspend()
                if "_evaluate_shards" in " ".join(process.cmdline()):
                    return [process]
                process.resume()
        except psutil.NoSuchProcess:
            continue
    return []


def test_a_killed_worker_loses_no_row_and_doubles_none(driver, out: Path, expected: pa.Table):
    until(lambda: len(parts(out)) >= 2, driver)
    (worker,) = until(lambda: stopped_at_work(driver), driver)
    assert 2 <= len(parts(out)) < PARTS
    worker.kill()
    assert driver.wait(timeout=120) == 0, driver.stderr.read()
    assert not worker.is_running()
    assert len(parts(out)) == PARTS
    assert_same_rows(out, expected)
    about = EvaluationTable(out).about
    assert (about.n, about.left_out) == (PICTURES, 0)
    (reason,) = about.skipped
    assert "z.png.broken: not an image" in reason


def test_after_a_killed_driver_only_the_missing_shards_are_done(
    driver, pictures: Path, out: Path, expected: pa.Table, cnn_folder: Path, environment
):
    until(lambda: len(parts(out)) >= 5, driver)
    family = family_of(driver)
    workers = [process for process in family if "Agent" not in process.name()]
    driver.kill()
    _, alive = psutil.wait_procs([driver, *workers], timeout=60)
    end_all(family)  # Ray's agents, which write nothing, take a minute to notice
    assert alive == []
    written = {part: part.stat().st_mtime_ns for part in parts(out)}
    assert 5 <= len(written) < PARTS
    assert not (out / "about.json").exists()

    command = f"evaluate --engine ray --data {pictures} --out {out} --model {cnn_folder} --json"
    ended = subprocess.run(
        [sys.executable, "-m", "core", *command.split()],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert {part: part.stat().st_mtime_ns for part in written} == written
    assert_same_rows(out, expected)
    shown = json.loads(ended.stdout)
    assert (shown["dataset"], shown["n"], shown["skipped"]) == (str(pictures), PICTURES, 1)
    wrong = np.not_equal(expected["label"], expected["prediction"])
    assert (shown["errors"], shown["accuracy"]) == (wrong.sum(), pytest.approx(1 - wrong.mean()))
    assert shown["per_class"]["4"] == {"n": 12, "errors": int(wrong[np.equal(expected["label"], 4)].sum())}


def test_a_finished_evaluation_is_shown_again_without_a_cluster(
    pictures, out, cnn_folder, environment, monkeypatch, capsys
):
    from core import scale
    from core.manifest import plan

    predictor = Predictor.load(cnn_folder)
    manifest = plan(out, pictures, weights=predictor.key, fitted=predictor.fitted, shard_size=100)
    for shard in range(manifest.shards):
        scale.write_shard(out, manifest, shard, predictor)
    monkeypatch.setattr(scale, "_cluster", lambda: pytest.fail("a cluster was started"))
    command = [
        "evaluate",
        "--engine",
        "ray",
        "--data",
        str(pictures),
        "--out",
        str(out),
        "--model",
        str(cnn_folder),
    ]
    assert main(command) == 0
    written = (out / "about.json").stat().st_mtime_ns
    assert main(command) == 0
    assert (out / "about.json").stat().st_mtime_ns == written
    first, second = np.array_split(capsys.readouterr().out.splitlines(), 2)
    assert first.tolist() == second.tolist()
    assert first[0].startswith(f"{pictures}: {PICTURES} digits, ")


def test_without_ray_the_error_names_the_file_to_install(pictures, out, cnn_folder, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    command = [
        "evaluate",
        "--engine",
        "ray",
        "--data",
        str(pictures),
        "--out",
        str(out),
        "--model",
        str(cnn_folder),
    ]
    assert main(command) == 1
    assert "error: --engine ray needs Ray Data" in (shown := capsys.readouterr().err)
    assert "pip install -r requirements-scale.txt" in shown
    assert not out.exists()


def test_the_engine_ray_needs_a_folder_to_write_to(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "--engine", "ray", "--data", "pictures"])
    assert ended.value.code == 2
    assert "--engine ray needs --out FOLDER" in capsys.readouterr().err


def test_one_process_writes_the_same_table_and_replaces_it_only_when_told(
    tmp_path, out, random_pictures, cnn: Predictor, cnn_folder, capsys
):
    own = tmp_path / "own.npz"
    np.savez(own, images=random_pictures[:60], labels=np.arange(60) % 10)
    command = ["evaluate", "--data", str(own), "--model", str(cnn_folder), "--json"]
    assert main(command) == 0
    assert main([*command, "--out", str(out)]) == 0
    plain, from_table = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert from_table.pop("ece") == pytest.approx(plain.pop("ece"), abs=1e-6)
    assert from_table == plain
    table = EvaluationTable(out)
    assert plain["errors"] == len(table) - np.trace(table.confusion())
    assert main([*command, "--out", str(out)]) == 1
    assert (
        "is not empty. Choose a new folder, or replace what is in it with --fresh" in capsys.readouterr().err
    )
    assert main([*command, "--out", str(out), "--fresh"]) == 0
    assert len(EvaluationTable(out)) == 60
