"""Which data set to look at: MNIST's test digits, the bundled ones, or the visitor's own."""

import re

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.datasets import DATASETS
from core.errors import DigitscopeError
from core.own import PREFIX, forget, own_datasets
from core.uploads import keep, keep_files
from dashboard import evaluations, resources
from dashboard.errors_link import ERRORS
from dashboard.page_link import PageLink
from dashboard.words import plain

NAMES = {
    "mnist-test": "MNIST test digits",
    "mnist-validation": "MNIST validation digits",
    "optdigits": "Digits bundled with scikit-learn",
}
MOST_MB = 200
FORMS = {"files": "Files", "folder": "A folder"}
WHOLE = (".zip", ".npz")  # hold a whole data set each


def at_hand() -> list[str]:
    """The data sets that can be looked at without fetching anything, the best known first."""
    known = [name for name in NAMES if name == "optdigits" or resources.mnist_at_hand()]
    return known + own_datasets()


def _choices(at: PageLink) -> list[str]:
    """What can be chosen, the one that the link names among them if there is such a one."""
    names, wanted = at_hand() + evaluations.elsewhere(st.session_state.model), at.view().data
    return [*names, wanted] if wanted not in names and evaluations.is_elsewhere(wanted) else names


def chosen(at: PageLink = ERRORS) -> str:
    """The data set that the link of a page names, or the first one at hand."""
    names, wanted = _choices(at), at.view().data
    return wanted if wanted in names else names[0]


def show(at: PageLink = ERRORS) -> None:
    """The choice, and the ways to get more: fetch MNIST, or bring digits of one's own."""
    names, wanted = _choices(at), at.view().data
    if wanted and wanted not in names:
        remedy = "Fetch it with the button." if wanted in DATASETS else "It may have been removed."
        st.warning(
            f"The link asks for {plain(wanted)}, which is not at hand. {remedy}", icon=":material/link_off:"
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = f"{at.page}-data"
        st.session_state[key] = chosen(at)
        st.selectbox(
            "Digits",
            names,
            format_func=name_of,
            key=key,
            width=250,
            label_visibility="collapsed",
            on_change=_choose,
            args=(at, key),
        )
        with st.popover("Your own digits", icon=":material/upload:"):
            _bring(at)
        if not resources.mnist_at_hand():
            offer_mnist()


def _choose(at: PageLink, key: str) -> None:
    if st.session_state[key] != chosen(at):
        at.change(data=st.session_state[key], **at.of_data)


def name_of(dataset: str) -> str:
    """A data set's name for people."""
    if dataset.startswith(PREFIX):
        return evaluations.own_title(dataset)
    return NAMES.get(dataset, dataset.removeprefix(evaluations.ELSEWHERE))


def problem(error: DigitscopeError, dataset: str) -> str:
    """What is wrong with a data set, as Markdown; one of the visitor's own by its file's name, but where
    it lies in the data folder as that is."""
    text = str(error)
    if dataset.startswith(PREFIX):
        name = name_of(dataset)
        text = re.sub(rf"(?<!/){re.escape(dataset)}(?!\.npz)", lambda _: name, text)
    return plain(text)


def _bring(at: PageLink) -> None:
    st.markdown(
        "A **zip** or a **folder** with subfolders 0 to 9, or pictures with a **CSV** of labels; an **NPZ** "
        "with `images` and `labels`; or MNIST's two **IDX** files. They stay on this machine."
    )
    form = st.segmented_control(
        "What to send", FORMS, default="files", required=True, format_func=FORMS.__getitem__, width="stretch"
    )
    files = st.file_uploader(
        f"At most {MOST_MB} MB together",
        accept_multiple_files=True if form == "files" else "directory",
        key=f"{at.page}-own-{form}",
        max_upload_size=MOST_MB,
    )
    if files:
        _take(at, files)
    mine = at.view().data
    if mine in own_datasets():
        st.button(f"Remove {name_of(mine)}", icon=":material/delete:", on_click=_remove, args=(at, mine))


def _take(at: PageLink, files: list[UploadedFile]) -> None:
    """Reads what was sent, once; what was wrong with it is said until it is taken back."""
    sent = tuple(file.file_id for file in files)
    before, error = st.session_state.get("own-sent", ((), ""))
    refused = [file.name for file in files if error and file.file_id in before]
    if before != sent:
        bar = st.progress(0.0, "Reading the pictures …")

        def progress(done: int, total: int) -> None:
            bar.progress(done / max(1, total), f"Picture {done:,} of {total:,}")

        try:
            alone = len(files) == 1 and "/" not in files[0].name and files[0].name.lower().endswith(WHOLE)
            name = (
                keep(files[0], files[0].name, progress=progress)
                if alone
                else keep_files(files, progress=progress)
            )
            error = ""
        except DigitscopeError as found:
            error = plain(str(found))
            if refused:  # a box keeps what was refused, and the next file is added to it
                names = ", ".join(refused[:3]) + (" …" if len(refused) > 3 else "")
                error += f" Or remove with × what was refused before: {plain(names)}"
        bar.empty()
        st.session_state["own-sent"] = (sent, error)
        if not error:
            at.change(data=name, **at.of_new_data)
            st.rerun()
    if error:
        st.error(error, icon=":material/broken_image:")


def _remove(at: PageLink, name: str) -> None:
    forget(name)
    at.change(data="", **at.of_data)


def offer_mnist() -> None:
    """The one button that fetches MNIST."""
    from core.mnist import download

    if st.button("Fetch MNIST (11 MB)", icon=":material/download:", type="primary"):
        bar = st.progress(0.0, "Fetching MNIST …")
        try:
            download(progress=lambda done, total: bar.progress(done / total, f"File {done} of {total}"))
        except DigitscopeError as error:
            bar.empty()
            st.error(plain(str(error)), icon=":material/cloud_off:")
        else:
            st.rerun()
