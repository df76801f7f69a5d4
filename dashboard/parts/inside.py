"""Inside the network: what its channels answer to in this digit, and what excites them most elsewhere."""

from shlex import quote
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.channels import Channels, Patch
from core.errors import CheckpointError
from core.palette import diverging
from dashboard import explanations, resources
from dashboard.explain_link import EXPLAIN, change, link, mirror
from dashboard.parts import maps, pick, weights
from dashboard.parts.data_picker import offer_mnist
from dashboard.parts.explained_digit import Subject
from dashboard.parts.gallery import pages
from dashboard.parts.pictures import data_uri, image
from dashboard.parts.side_maps import LAYER_WORDS
from dashboard.words import plain

if TYPE_CHECKING:
    from core.inside import Block

PER_PAGE = 12
ENLARGED = 4  # px a pixel, for frames round patches
FRAME = (230, 159, 0, 255)  # orange, on the grey digit


def show(subject: Subject) -> None:
    """The block, its channels by their evidence, and the chosen one."""
    if not subject.predictor.layers:
        _linear(subject)
        return
    names = {name: f"{name}, {LAYER_WORDS[name]}" for name in subject.predictor.layers}
    st.segmented_control("Block", required=True, label_visibility="collapsed", **mirror("block", names))
    waiting = st.empty()
    if resources.warming(subject.predictor):
        waiting.info("The network is being loaded …", icon=":material/hourglass_top:")
    blocks = explanations.inside(subject.predictor, subject.pixels, subject.question)
    waiting.empty()
    block = next(each for each in blocks if each.name == link().block)
    channel = link().channel
    if channel is None or channel >= len(block.evidence):
        channel = block.order[0]
    left, right = st.columns([13, 8], gap="small")
    with left.container(border=True, height="stretch"):
        _channels(subject, block, channel)
    with right.container(border=True, height="stretch"):
        _channel(subject, block, channel)


def _linear(subject: Subject) -> None:
    st.markdown("This model has no layers: these 784 weights are all that is inside it.")
    found = resources.linear_weights(st.session_state.model).w
    top = float(np.abs(found).max())
    a, b = subject.predictor.classes
    weights.show(found, top=top, alt="The weights", words=f"Purple speaks for {a}, orange for {b}.")


def _channels(subject: Subject, block: "Block", chosen: int) -> None:
    st.markdown(
        f"**{len(block.evidence)} channels of {block.name}**, by what they give to the evidence for "
        f"{subject.question.words}"
    )
    order = block.order
    last = -(-len(order) // PER_PAGE)
    page = min(link().page, last)
    top = max(float(block.activations.max()), 1e-9)
    tiles = [
        {
            "index": number,
            "source": data_uri(_grey(block.activations[number], top)),
            "alt": f"Channel {number}: evidence {block.evidence[number]:+.2f}",
            "from": str(number),
            "to": f"{block.evidence[number]:+.2f}",
            "note": f"{block.activations[number].max():.1f}",
            "marks": [{"sign": "●", "words": "shown beside"}] if number == chosen else [],
        }
        for number in order[(page - 1) * PER_PAGE : page * PER_PAGE]
    ]
    pick.gallery(
        {"digits": tiles},
        key="explain-channels",
        open_digit=lambda number: change(channel=number, page=page),
    )
    if last > 1:
        pages(page, last, EXPLAIN)
    st.caption(
        f"channel → **evidence**, in logits · its strongest activation; one scale, from black, 0, to white, "
        f"{top:.2g}"
    )


def _grey(activations: np.ndarray, top: float) -> np.ndarray:
    return (255 * activations / top).clip(0, 255).round().astype(np.uint8)


def _channel(subject: Subject, block: "Block", number: int) -> None:
    st.markdown(f"**Channel {number} of {block.name}**")
    own = block.activations[number]
    first, second = st.columns(2, gap="small")
    with first:
        picture = image(_grey(own, max(float(own.max()), 1e-9)), f"Channel {number} on this digit")
        st.html(maps.tile("On this digit", f'<div class="overlay">{picture}</div>'))
    with second:
        if block.name == subject.predictor.layers[0]:
            _filter(subject, number)
        else:
            digit = image(subject.pixels, "The digit")
            st.html(maps.tile("The digit", f'<div class="overlay">{digit}</div>'))
    _patches(subject, block.name, number)


def _filter(subject: Subject, number: int) -> None:
    filters = explanations.filters(subject.predictor)
    top = float(np.abs(filters).max())
    picture = image(diverging(filters[number].astype(np.float64), top=top), f"The 3 × 3 weights of {number}")
    body = f'<div class="overlay">{picture}</div>'
    st.html(maps.tile("Its filter, 3 × 3", body))
    with st.popover("All filters"):
        small = "".join(
            f'<figure title="channel {row}">'
            f"{image(diverging(each.astype(np.float64), top=top), f'Filter {row}')}</figure>"
            for row, each in enumerate(filters)
        )
        st.html(f'<div class="filters">{small}</div>{weights.scale(top)}')


def _patches(subject: Subject, block: str, number: int) -> None:
    try:
        found = explanations.channels(subject.predictor)
    except CheckpointError as error:
        st.warning(plain(str(error)), icon=":material/history:")
        return
    if found is None:
        st.caption("What excites it most was not looked for with this model:")
        st.code(f"python -m core channels --model {quote(st.session_state.model)}", language="sh")
        return
    if not resources.mnist_at_hand():
        st.caption("What excites it most needs MNIST's test digits.")
        offer_mnist()
        return
    patches = found.patches[block][number]
    st.markdown("**What excites it most**", help=_help(found))
    if not patches:
        st.caption(f"It is silent on all {found.n:,} digits of {found.dataset}.")
        return
    data = resources.samples(found.dataset)
    figures = [
        image(_marked(data.images[patch.digit], patch), _words(patch, int(data.labels[patch.digit])))
        for patch in patches
    ]
    st.html('<div class="patches">' + "".join(f"<figure>{each}</figure>" for each in figures) + "</div>")


def _help(found: Channels) -> str:
    return (
        f"Of {found.n:,} digits of {found.dataset}, the nine that excite the channel most; it sees what is "
        "inside the frame."
    )


def _words(patch: Patch, label: int) -> str:
    return f"Digit {patch.digit}, a {label}: activation {patch.activation:.2f} within the frame"


def _marked(pixels: np.ndarray, patch: Patch) -> np.ndarray:
    """The digit, four times as large, with a frame round what the channel sees."""
    large = np.kron(pixels, np.ones((ENLARGED, ENLARGED), dtype=np.uint8))
    picture = np.stack([large] * 3 + [np.full_like(large, 255)], axis=-1)
    inside = np.zeros(large.shape, dtype=bool)
    box = [ENLARGED * side for side in (patch.top, patch.bottom, patch.left, patch.right)]
    inside[box[0] : box[1], box[2] : box[3]] = True
    inside[box[0] + 2 : box[1] - 2, box[2] + 2 : box[3] - 2] = False
    picture[inside] = FRAME
    return picture
