"""Data sets that are broken or hostile: arrays, IDX files, archives; uploaded, or given to `evaluate`."""

import gzip
import io
import stat
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from scripts.hostile_case import ANSWER, EITHER, ERROR, FORMATS, Case, huge, on_paper, saved, three

MB = 2**20


def data_sets() -> Iterator[Case]:
    """All of them."""
    for part in (_arrays, _headers, _idx, _names, _archives, _bombs, _pictures, _listings):
        for case in part():
            yield replace(case, digit=None, labelled=True)


def _digits(n: int = 3) -> np.ndarray:
    return np.stack([np.asarray(three(28))] * n)


def npz(**arrays: np.ndarray) -> bytes:
    """An NPZ file; arrays of objects are pickled, as NumPy does."""
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=True, **arrays)
    return content.getvalue()


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these files, in their order."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return content.getvalue()


def idx(array: np.ndarray) -> bytes:
    """An IDX file of bytes."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


def _arrays() -> Iterator[Case]:
    """NPZ files whose arrays are of another kind, shape or range."""
    good, labels = _digits(), np.array([3, 3, 3])
    yield Case("arrays", "good.npz", npz(images=good, labels=labels), ANSWER, count=3)
    yield Case("arrays", "by-column.npz", npz(images=np.asfortranarray(good), labels=labels), ANSWER, count=3)
    nan, infinite = good / 255, good / 255
    nan[0, 0, 0], infinite[0, 0, 0] = np.nan, np.inf
    images = {
        "nan": nan,
        "infinity": infinite,
        "float": good / 255,
        "negative": good.astype(np.int16) - 300,
        "64-bit": good.astype(np.int64) * 10**15,
        "truths": good > 0,
        "complex": good.astype(complex),
        "objects": good.astype(object),
        "texts": good.astype(str),
        "dates": good.astype("datetime64[s]"),
        "records": np.zeros(3, [("a", "u1"), ("b", "f8")]),
        "flat": good.reshape(3, 784),
        "colour": np.repeat(good[..., None], 3, axis=3),
        "none": good[:0],
        "single": good[0],
        "number": np.array(7),
        "thin": np.zeros((3, 28, 0), np.uint8),
    }
    for name, array in images.items():
        yield Case("arrays", f"images-{name}.npz", npz(images=array, labels=labels), ERROR)
    others = {
        "nan": np.array([3, np.nan, 3]),
        "negative": np.array([3, -1, 3]),
        "ten": np.array([3, 10, 3]),
        "huge": np.array([3, 2**63 - 1, 3]),
        "unsigned": np.array([3, 2**64 - 1, 3], dtype=np.uint64),
        "fewer": labels[:2],
        "more": np.array([3] * 9),
        "objects": np.array([3, None, 3], dtype=object),
        "texts": np.array(["3", "3", "3"]),
        "column": labels[:, None],
        "number": np.array(3),
    }
    for name, array in others.items():
        yield Case("arrays", f"labels-{name}.npz", npz(images=good, labels=array), ERROR)
    yield Case("arrays", "no-labels.npz", npz(images=good), ERROR)
    yield Case("arrays", "other-names.npz", npz(x=good, y=labels), ERROR)
    whole = npz(images=good, labels=labels)
    for tenth in range(10):
        yield Case("arrays", f"cut-{tenth}.npz", whole[: len(whole) * tenth // 10], ERROR)


def _headers() -> Iterator[Case]:
    """NumPy headers that lie about the array behind them."""
    labels = io.BytesIO()
    np.save(labels, np.array([3]))
    texts = {
        "huge": "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 28, 28)}",
        "overflow": "{'descr': '|u1', 'fortran_order': False, 'shape': (9223372036854775807, 28, 28)}",
        "negative": "{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 28, 28)}",
        "deep": "(" * 5000,
        "code": "__import__('os').system('id')",
        "nothing": "",
        "no-dict": "[1, 2]",
        "dtype": "{'descr': 'O', 'fortran_order': False, 'shape': (1,)}",
        "nested": "{'descr': [('a', [('b', '<f8')])], 'fortran_order': False, 'shape': (1,)}",
    }
    for name, text in texts.items():
        header = text.encode() + b"\n"
        content = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + bytes(784)
        yield Case(
            "array header",
            f"{name}.npz",
            packed({"images.npy": content, "labels.npy": labels.getvalue()}),
            ERROR,
        )
    long = b"\x93NUMPY\2\0" + struct.pack("<I", 2**31) + b" " * 9000
    yield Case(
        "array header", "long.npz", packed({"images.npy": long, "labels.npy": labels.getvalue()}), ERROR
    )


def _pair(images: bytes, labels: bytes) -> bytes:
    return packed({"x-images-idx3-ubyte": images, "x-labels-idx1-ubyte": labels})


def _idx() -> Iterator[Case]:
    good, labels = idx(_digits()), idx(np.array([3, 3, 3]))
    yield Case("IDX", "good.zip", _pair(good, labels), ANSWER, count=3)
    yield Case("IDX", "packed.zip", _pair(gzip.compress(good, mtime=0), labels), ANSWER, count=3)
    broken = {
        "empty": b"",
        "magic": b"\0\0\x0d\3" + good[4:],
        "little-endian": good[3::-1] + good[4:],
        "dimensions": b"\0\0\x08\xff" + good[4:],
        "huge": b"\0\0\x08\3" + struct.pack(">III", 2**32 - 1, 2**32 - 1, 2**32 - 1) + bytes(784),
        "more": good + b"x",
        "fewer": good[:-1],
        "header": good[:9],
        "gzip-cut": gzip.compress(good, mtime=0)[:-9],
        "gzip-in-gzip": gzip.compress(gzip.compress(good, mtime=0), mtime=0),
        "other-size": idx(np.zeros((3, 32, 32))),
        "flat": idx(np.zeros((3, 784))),
        "none": idx(np.zeros((0, 28, 28))),
    }
    for name, content in broken.items():
        yield Case("IDX", f"images-{name}.zip", _pair(content, labels), ERROR)
    for name, values in (("ten", [3, 10, 3]), ("fewer", [3]), ("more", [3] * 9)):
        yield Case("IDX", f"labels-{name}.zip", _pair(good, idx(np.array(values))), ERROR)
    yield Case("IDX", "no-labels.zip", packed({"x-images-idx3-ubyte": good}), ERROR)
    yield Case("IDX", "labels-are-images.zip", _pair(good, good), ERROR)


def _names() -> Iterator[Case]:
    """Archives whose files would land elsewhere, or are no files."""
    picture = saved(on_paper(), "PNG")
    hostile = (
        "../3/a.png",
        "3/../../../etc/cron.d/a.png",
        "/etc/passwd",
        "C:\\3\\a.png",
        "3\\a.png",
        "\\\\host\\a",
    )
    hostile += ("3/a\0.png", "3/a\n.png", "3/\x1b[2J.png", "./../3/a.png", "3/..")
    for number, name in enumerate(hostile):
        content = packed({"3/good.png": picture, "3/xxxx.png": picture})
        # zipfile would mend some names while it writes them.
        content = _renamed(content, name)
        yield Case("archive name", f"{number}.zip", content, ERROR)
    for mode in ("S_IFLNK", "S_IFBLK", "S_IFCHR", "S_IFIFO", "S_IFSOCK"):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr(zipfile.ZipInfo("3/good.png"), picture)
            info = zipfile.ZipInfo("3/other.png")
            info.create_system, info.external_attr = 3, (getattr(stat, mode) | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
        yield Case("archive name", f"{mode}.zip", content.getvalue(), ERROR)
    odd = {
        f"3/{name}.png": picture
        for name in ("é", "😀", "\u202egnp", "x" * 200, "a..a", "<b>", "a b", "$(id)")
    }
    yield Case("archive name", "odd-but-harmless.zip", packed(odd), ANSWER, count=len(odd))
    deep = {"/".join(["3", *(["d"] * 500), "a.png"]): picture}
    yield Case("archive name", "deep.zip", packed(deep), EITHER)


def _renamed(content: bytes, name: str) -> bytes:
    """An archive whose second file has another name, of any bytes."""
    old, new = b"3/xxxx.png", name.encode()
    parts = content.split(old)
    for number in (0, 1):  # the length stands 4 and 18 bytes before the name
        at = len(parts[number]) - (4 if number == 0 else 18)
        head = parts[number]
        parts[number] = head[:at] + struct.pack("<H", len(new)) + head[at + 2 :]
    whole = bytearray(new.join(parts))
    end = whole.rindex(b"PK\5\6")
    start = whole.index(b"PK\1\2")
    struct.pack_into("<II", whole, end + 12, end - start, start)
    return bytes(whole)


def _archives() -> Iterator[Case]:
    picture = saved(on_paper(), "PNG")
    good = packed({"3/a.png": picture, "3/b.png": picture})
    yield Case("archive", "good.zip", good, ANSWER, count=2)
    yield Case("archive", "wrapped.zip", packed({"x/y/3/a.png": picture}), ANSWER, count=1)
    for tenth in range(10):
        yield Case("archive", f"cut-{tenth}.zip", good[: len(good) * tenth // 10], ERROR)
    generator = np.random.default_rng(7)
    for number in range(20):
        content = bytearray(good)
        for place in generator.integers(0, len(content), 8):
            content[place] = generator.integers(0, 256)
        yield Case("archive", f"changed-{number}.zip", bytes(content), EITHER)
    for flags in (1, 0x40, 0x2000):
        content = bytearray(good)
        struct.pack_into("<H", content, good.index(b"PK\1\2") + 8, flags)
        yield Case("archive", f"encrypted-{flags}.zip", bytes(content), ERROR)
    for name, method in (("bzip2", zipfile.ZIP_BZIP2), ("lzma", zipfile.ZIP_LZMA)):
        yield Case("archive", f"{name}.zip", packed({"3/a.png": picture}, method), ERROR)
    yield Case("archive", "in-archive.zip", packed({"3.zip": good}), ERROR)
    yield Case("archive", "twice.zip", _twice(picture), EITHER)
    yield Case("archive", "behind-a-picture.zip", picture + good, ANSWER, count=2)
    yield Case("archive", "empty.zip", b"PK\5\6" + bytes(18), ERROR)
    yield Case("archive", "nothing.zip", b"", ERROR)
    yield Case("archive", "comment.zip", good[:-2] + b"\xff\xff" + b"PK\5\6" * 16_383 + b"PK\5", EITHER)
    yield Case("archive", "no-digits.zip", packed({"a/a.png": picture, "README": b"x"}), ERROR)


def _twice(picture: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for _ in range(2):
            archive.writestr(zipfile.ZipInfo("3/a.png"), picture)
    return content.getvalue()


def _bombs() -> Iterator[Case]:
    """Archives that unpack to far more than they are."""
    yield Case("zip bomb", "one-file.zip", lambda: packed({"3/a.png": bytes(410 * MB)}), ERROR)
    yield Case("zip bomb", "arrays.npz", _many_digits, ERROR, uploaded=True)
    many = lambda: packed({f"3/{n}.png": bytes(60 * MB) for n in range(35)})  # noqa: E731
    yield Case("zip bomb", "two-gigabytes.zip", many, ERROR)
    yield Case("zip bomb", "shared.zip", lambda: _overlapping(bytes(60 * MB), 600), ERROR)
    yield Case("zip bomb", "entries.zip", lambda: _overlapping(b"x", 60_000), ERROR)
    rows = b"file,label\n" + b"a.png,3\n" * (40 * MB // 8)
    yield Case("zip bomb", "listing.zip", lambda: packed({"labels.csv": rows}), ERROR)
    line = b"file,label" + b"," * (100 * MB)
    yield Case("zip bomb", "line.zip", lambda: packed({"labels.csv": line}), ERROR)
    for suffix in ("png", "tif", "gif"):
        yield Case("zip bomb", f"300-large-{suffix}.zip", partial(_many_large, suffix), ERROR)
    full = lambda: packed({f"3/{n}.png": bytes(10 * MB) for n in range(100)})  # noqa: E731
    yield Case("zip bomb", "gigabyte-of-nothing.zip", full, ERROR)
    tables = lambda: packed({f"{n}.csv": b"a,b\n" for n in range(40_000)})  # noqa: E731
    yield Case("zip bomb", "tables.zip", tables, ERROR)
    yield Case("zip bomb", "gzip.zip", _gzip_bomb, ERROR)
    yield Case("zip bomb", "understated.zip", lambda: _saying(bytes(60 * MB), 100), ERROR)
    yield Case("zip bomb", "overstated.zip", lambda: _saying(saved(on_paper(), "PNG"), 2**32 - 2), ERROR)


def _many_large(suffix: str) -> bytes:
    """Pictures of 39 megapixels in a few kilobytes each, up to 0.6 s of work for every one."""
    options = {"compression": "tiff_adobe_deflate"} if suffix == "tif" else {}
    content = saved(huge(6250, 6250), FORMATS[suffix], **options)
    return packed({f"3/{n}.{suffix}": content for n in range(300)})


def _many_digits() -> bytes:
    return npz(images=np.zeros((500_000, 28, 28), np.uint8), labels=np.zeros(500_000, int))


def _gzip_bomb() -> bytes:
    return _pair(gzip.compress(bytes(450 * MB), 5, mtime=0), idx(np.array([3, 3, 3])))


def _saying(data: bytes, size: int) -> bytes:
    """An archive whose directory says that its file unpacks to another size."""
    content = bytearray(packed({"3/a.png": data}))
    struct.pack_into("<I", content, content.index(b"PK\1\2") + 24, size)
    return bytes(content)


def _overlapping(data: bytes, count: int) -> bytes:
    """Many entries of the directory that all point to the same packed bytes."""
    content = packed({"3/000000.png": data})
    start, end = content.index(b"PK\1\2"), content.rindex(b"PK\5\6")
    entry = content[start:end]
    entries = b"".join(entry.replace(b"000000", b"%06d" % n) for n in range(count))
    tail = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, count % 65_536, count % 65_536, len(entries), start, 0)
    return content[:start] + entries + tail


def _pictures() -> Iterator[Case]:
    """Archives of pictures that are hostile themselves."""
    picture = saved(on_paper(), "PNG")
    wide = saved(huge(6250, 6250).convert("RGB"), "PNG")
    yield Case(
        "pictures in an archive",
        "one-is-huge.zip",
        packed({"3/a.png": wide, "3/b.png": picture}),
        ANSWER,
        count=2,
    )
    yield Case(
        "pictures in an archive", "broken.zip", packed({f"3/{n}.png": b"no" for n in range(2000)}), ERROR
    )
    one = {f"3/{n}.png": b"" for n in range(500)} | {"3/good.png": picture}
    yield Case("pictures in an archive", "one-is-good.zip", packed(one), ANSWER, count=1)
    tall = saved(on_paper().resize((1, 60_000)), "PNG")
    yield Case("pictures in an archive", "tall.zip", packed({"3/a.png": tall, "3/b.png": picture}), EITHER)


def _listings() -> Iterator[Case]:
    picture = saved(on_paper(), "PNG")
    texts = {
        "good": (b"file,label\na.png,3\n", ANSWER, 1),
        "traversal": (b"file,label\n../../../etc/passwd,3\na.png,3\n", ANSWER, 1),
        "absolute": (b"file,label\n/etc/passwd,3\n", ERROR, None),
        "no-digit": (b"file,label\na.png,eleven\n", ERROR, None),
        "quotes": (b'file,label\n"a.png,3\n', EITHER, None),
        "nul": (b"file,label\na\0.png,3\n", EITHER, None),
        "columns": (b"x,y\na.png,3\n", ERROR, None),
        "formula": (b"file,label\n=cmd|' /C calc'!A0,3\na.png,3\n", ANSWER, 1),
        "utf-16": ("file,label\na.png,3\n".encode("utf-16"), ANSWER, 1),
        "binary": (bytes(range(256)) * 20, ERROR, None),
        "long-field": (b"file,label\n" + b"x" * 300_000 + b",3\na.png,3\n", EITHER, None),
    }
    for name, (text, must, count) in texts.items():
        yield Case(
            "listing", f"{name}.zip", packed({"labels.csv": text, "a.png": picture}), must, count=count
        )
    yield Case("path", "gone.zip", b"", ERROR, place=lambda folder: folder / "gone.zip")
    yield Case("path", "folder", b"", ANSWER, count=1, place=_linked)
    yield Case("path", "loop", b"", ANSWER, count=1, place=_looped)


def _linked(folder: Path) -> Path:
    """A folder with a link out of it that leads nowhere, and one to a file that is no picture."""
    (folder / "folder" / "3").mkdir(parents=True)
    (folder / "folder" / "3" / "good.png").write_bytes(saved(on_paper(), "PNG"))
    (folder / "folder" / "3" / "gone.png").symlink_to(folder / "nowhere")
    (folder / "folder" / "3" / "passwd.png").symlink_to("/etc/passwd")
    return folder / "folder"


def _looped(folder: Path) -> Path:
    """A folder that holds itself."""
    (folder / "loop" / "3").mkdir(parents=True)
    (folder / "loop" / "3" / "good.png").write_bytes(saved(on_paper(), "PNG"))
    (folder / "loop" / "again").symlink_to(folder / "loop")
    return folder / "loop"
