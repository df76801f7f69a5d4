"""Checkpoints that are hostile or broken: folders, and files for `import-weights`."""

import hashlib
import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import safetensors.numpy
from onnx import TensorProto, helper

from core.paths import CARD, DETECTOR, GRAPH, HISTORY, ROOT, WEIGHTS
from scripts.hostile_case import ANSWER, CHECKPOINT, ERROR, Case

MB = 2**20
RAN = "code-of-the-file-ran"  # a file that appears beside a checkpoint if its code is executed
SECRET = "secret.bin"  # lies outside the checkpoint, and must not be read
SHIPPED = ROOT / "checkpoints" / "cnn"

Spoil = Callable[[Path], None]


def checkpoints() -> Iterator[Case]:
    """All of them."""
    yield _case("whole", "whole", lambda folder: None, ANSWER)
    for part in (_cards, _weights, _graphs, _others, _pickles):
        yield from part()


def _case(kind: str, name: str, spoil: Spoil, must: str = ERROR) -> Case:
    return Case(f"checkpoint: {kind}", name, b"", must, place=partial(_placed, name, spoil), door=CHECKPOINT)


def _placed(name: str, spoil: Spoil, beside: Path) -> Path:
    folder = beside / name
    shutil.copytree(SHIPPED, folder)
    (beside / SECRET).write_bytes(np.zeros(10, np.float32).tobytes())
    spoil(folder)
    return folder


def rehashed(folder: Path, name: str, content: bytes) -> None:
    """A file put into a checkpoint together with its right hash: whoever changes one can change both."""
    (folder / name).write_bytes(content)
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    card["hashes"][name] = hashlib.sha256(content).hexdigest()
    (folder / CARD).write_text(json.dumps(card), encoding="utf-8")


def _cards() -> Iterator[Case]:
    whole = json.loads((SHIPPED / CARD).read_text(encoding="utf-8"))
    texts: dict[str, str | bytes] = {
        "deep": "[" * 10**6,
        "deep-objects": '{"a":' * 10**5,
        "nan": json.dumps(whole | {"parameters": float("nan")}),
        "infinite": json.dumps(whole | {"normalisation": {"mean": 0.1, "std": float("inf")}}),
        "digits": '{"schema_version": ' + "1" * 10**6 + "}",
        "no-utf-8": b"\xff\xfe\x00{",
        "empty": b"",
    }
    for name, text in texts.items():
        content = text if isinstance(text, bytes) else text.encode()
        yield _case("card", name, lambda folder, content=content: _write(folder / CARD, content))
    yield _case("card", "gigabyte", lambda folder: os.truncate(folder / CARD, 2**30))
    for field in whole:
        if field not in ("calibration", "verdict"):  # fitted later, so they may lack
            changed = {name: value for name, value in whole.items() if name != field}
            yield _case("card", f"without-{field}", partial(_card, content=changed))
        for number, value in enumerate((None, 7.5, [["x"]])):
            yield _case("card", f"{field}-wrong-{number}", partial(_card, content=whole | {field: value}))
    for name in ("../../../etc/passwd", "/etc/passwd", "a\0b", "..", ""):
        yield _case("card", f"name-{len(name)}", partial(_card, content=whole | {"name": name}))
    hashes = whole["hashes"] | {"../secret.bin": "0" * 64}
    yield _case("card", "hash-of-a-file-outside", partial(_card, content=whole | {"hashes": hashes}))


def _weights() -> Iterator[Case]:
    whole = (SHIPPED / WEIGHTS).read_bytes()
    arrays = safetensors.numpy.load(whole)
    first = "conv_layers.0.weight"
    contents: dict[str, bytes | Callable[[], bytes]] = {
        "header-of-8-gigabytes": struct.pack("<Q", 2**33) + whole[8:],
        "header-of-2-to-the-64": struct.pack("<Q", 2**64 - 1) + whole[8:],
        "header-of-spaces": lambda: _tensors("{" + " " * (60 * MB) + "}"),
        "header-of-tensors": lambda: _tensors(_header(**{f"t{n}": [0, 0] for n in range(700_000)})),
        "header-deep": _tensors('{"a":' * 10_000),
        "overlapping": _tensors(_header(a=[0, 8], b=[4, 12]), bytes(12)),
        "beyond-its-end": _tensors(_header(a=[0, 2**40])),
        "backwards": _tensors(_header(a=[8, 0]), bytes(8)),
        "below-0": _tensors(_header(a=[-8, 0]), bytes(8)),
        "hole": _tensors(_header(a=[0, 8], b=[16, 24]), bytes(24)),
        "empty": b"",
        "shapes": safetensors.numpy.save(arrays | {first: np.zeros((1, 2, 3), np.float32)}),
        "names": safetensors.numpy.save({f"../{name}": array for name, array in arrays.items()}),
        "one-lacks": safetensors.numpy.save({n: array for n, array in arrays.items() if n != first}),
        "one-more": safetensors.numpy.save(arrays | {"more": np.zeros(3, np.float32)}),
        "not-finite": safetensors.numpy.save(arrays | {first: arrays[first] * np.nan}),
        "pickle": pickle.dumps(_Runs("x")),
        "too-large": lambda: _tensors("{}", bytes(70 * MB)),
    }
    for tenth in range(0, 10, 3):
        contents[f"cut-{tenth}"] = whole[: len(whole) * tenth // 10]
    for name, content in contents.items():
        yield _case("weights", name, partial(_rehash, name=WEIGHTS, content=content))
    for tenth in range(0, 10, 3):
        for name in (WEIGHTS, GRAPH, DETECTOR, HISTORY):
            size = (SHIPPED / name).stat().st_size * tenth // 10
            yield _case("cut", f"{name}-{tenth}", partial(_cut, name=name, size=size))


def _graphs() -> Iterator[Case]:
    def graph(name: str, change: Callable[[Any], None]) -> Case:
        def spoil(folder: Path) -> None:
            model = onnx.load(str(folder / GRAPH))
            change(model)
            rehashed(folder, GRAPH, model.SerializeToString())

        return _case("graph", name, spoil)

    for location in ("../secret.bin", "/etc/passwd", "model.safetensors", "../../../../etc/passwd"):
        yield graph(f"external-{len(location)}", partial(_external, location=location))
    yield graph("custom-operation", partial(_node, op="Evil", domain="com.evil"))
    yield graph("operation-of-the-library", partial(_node, op="FusedConv", domain="com.microsoft"))
    yield graph("function", _function)
    yield graph("endless-loop", partial(_node, op="Loop"))
    yield graph("branch", partial(_node, op="If"))
    yield graph("reads-numbers-from-a-constant", partial(_node, op="Constant"))
    yield graph("gigabytes-while-opening", _made_up)
    yield graph("huge-numbers", _promised)
    yield graph("huge-margins", partial(_setting, name="pads", value=10**6))
    yield graph("huge-steps", partial(_setting, name="dilations", value=2**40))
    yield graph("below-0", partial(_setting, name="pads", value=-5))
    yield graph("many-operations", _many)
    yield graph("many-names", lambda model: model.graph.value_info.extend([onnx.ValueInfoProto()] * 600_000))
    yield graph("not-finite", _not_finite)
    yield graph("another-input", lambda model: setattr(model.graph.input[0], "name", "x"))
    yield graph("no-outputs", lambda model: model.graph.ClearField("output"))
    yield graph("nothing", lambda model: model.ClearField("graph"))
    yield _case("graph", "text", partial(_rehash, name=GRAPH, content=b"no graph"))
    yield _case("graph", "of-zeros", partial(_rehash, name=GRAPH, content=bytes(10 * MB)))
    yield _case("graph", "cut", partial(_rehash, name=GRAPH, content=(SHIPPED / GRAPH).read_bytes()[:-999]))


def _others() -> Iterator[Case]:
    linear = SHIPPED.with_name("linear")
    for name in (WEIGHTS, GRAPH, HISTORY, DETECTOR):
        swapped = (linear / name).read_bytes()
        yield _case("swapped", name, partial(_swap, name=name, content=swapped))
        if name != HISTORY:  # another training's history with its hash is a history
            yield _case("swapped", f"{name}-and-hash", partial(_rehash, name=name, content=swapped))
    yield _case("swapped", "card", lambda folder: shutil.copy(linear / CARD, folder / CARD) and None)
    yield _case("swapped", "hashes", _swapped_hashes)
    detector = safetensors.numpy.load((SHIPPED / DETECTOR).read_bytes())
    bank = min(name for name in detector if name.startswith("bank."))
    spoilt = {
        "shape": {"hidden.weight": np.zeros((3, 3), np.float32)},
        "not-finite": {"distance.mean": np.full_like(detector["distance.mean"], np.nan)},
        "empty": {"reference": np.zeros(0, np.float32)},
        "bank": {bank: np.zeros((3, 1), np.float16)},
        "another-block": {"bank.block9": detector[bank]},
    }
    for name, arrays in spoilt.items():
        content = safetensors.numpy.save(detector | arrays)
        yield _case("detector", name, partial(_rehash, name=DETECTOR, content=content))
    for name, content in {
        "text": b"no JSON",
        "list": b"[1]\n",
        "deep": b"[" * 10**6,
        "bytes": b"\xff",
    }.items():
        yield _case("history", name, partial(_rehash, name=HISTORY, content=content))
    for name in (CARD, WEIGHTS, GRAPH, HISTORY, DETECTOR):
        for number, target in enumerate(("/etc/passwd", "/dev/zero", f"../{SECRET}", name)):
            yield _case("link", f"{name}-{number}", partial(_link, name=name, target=target))
        yield _case("no file", f"{name}-folder", partial(_folder, name=name))
        yield _case("no file", f"{name}-pipe", partial(_pipe, name=name))
        yield _case("no file", f"{name}-gone", lambda folder, name=name: (folder / name).unlink())


def _pickles() -> Iterator[Case]:
    """For `import-weights`, the one door for weights of others."""
    for protocol in range(6):
        for suffix in ("pt", "pth", "pkl", "pickle"):

            def put(beside: Path, protocol: int = protocol, suffix: str = suffix) -> Path:
                path = beside / f"code-{protocol}.{suffix}"
                path.write_bytes(pickle.dumps(_Runs(str(beside / RAN)), protocol))
                return path

            name = f"code-{protocol}.{suffix}"
            yield Case("checkpoint: pickle", name, b"", ERROR, place=put, door=CHECKPOINT)
    beside = partial(_case, "pickle")
    yield beside("beside.pkl", lambda folder: _write(folder / "model.pkl", pickle.dumps(_Runs("x"))), ANSWER)


class _Runs:
    """What makes a file when it is unpickled."""

    def __init__(self, path: str):
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _card(folder: Path, content: dict[str, Any]) -> None:
    (folder / CARD).write_text(json.dumps(content), encoding="utf-8")


def _rehash(folder: Path, name: str, content: bytes | Callable[[], bytes]) -> None:
    rehashed(folder, name, content if isinstance(content, bytes) else content())


def _swap(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)


def _swapped_hashes(folder: Path) -> None:
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    hashes = card["hashes"]
    hashes[WEIGHTS], hashes[GRAPH] = hashes[GRAPH], hashes[WEIGHTS]
    _card(folder, card)


def _cut(folder: Path, name: str, size: int) -> None:
    os.truncate(folder / name, size)


def _link(folder: Path, name: str, target: str) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to(target)


def _folder(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()


def _pipe(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)


def _tensors(header: str, content: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header.encode() + content


def _header(**offsets: list[int]) -> str:
    return json.dumps(
        {name: {"dtype": "F32", "shape": [2], "data_offsets": place} for name, place in offsets.items()}
    )


def _external(model: Any, location: str) -> None:
    tensor = model.graph.initializer[1]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    tensor.external_data.add(key="offset", value="0")


def _node(model: Any, op: str, domain: str = "") -> None:
    model.graph.node[0].op_type, model.graph.node[0].domain = op, domain
    if domain:
        model.opset_import.append(helper.make_opsetid(domain, 1))


def _function(model: Any) -> None:
    made = helper.make_function(
        "own", "Relu", ["x"], ["y"], [helper.make_node("Identity", ["x"], ["y"])], model.opset_import
    )
    model.functions.append(made)


def _made_up(model: Any) -> None:
    """Eight gigabytes of ones, which the optimiser would work out in advance."""
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [2**16, 2**15])
    model.graph.initializer.append(shape)
    model.graph.node.append(helper.make_node("ConstantOfShape", ["shape"], ["ones"]))


def _promised(model: Any) -> None:
    del model.graph.initializer[1].dims[:]
    model.graph.initializer[1].dims.extend([2**20, 2**20])


def _setting(model: Any, name: str, value: int) -> None:
    attribute = next(each for each in model.graph.node[0].attribute if each.name == name)
    attribute.ints[0] = value


def _many(model: Any) -> None:
    name = model.graph.output[0].name
    for number in range(100_000):
        model.graph.node.append(helper.make_node("Relu", [name], [f"r{number}"]))
        name = f"r{number}"


def _not_finite(model: Any) -> None:
    tensor = model.graph.initializer[1]
    tensor.raw_data = np.full(tensor.dims[0], np.nan, np.float32).tobytes()
