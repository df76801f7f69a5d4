"""Controls that are kept in a page's link."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.history import go_to


def script() -> None:
    from dataclasses import dataclass

    import streamlit as st

    from dashboard.page_link import PageLink, shown

    @dataclass(frozen=True, kw_only=True)
    class Link:
        target: int | None = None
        against: int | None = None

    at = PageLink("any", Link, lambda name, text: int(text) if text.isdigit() else None)
    shown("any")
    at.arrive()
    names = {digit: str(digit) for digit in range(10)}
    for name in ("target", "against"):
        st.selectbox(name, index=None, **at.mirror(name, names))
    st.text(f"{at.view().target} against {at.view().against}")


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(script).run()


def address(app: AppTest) -> dict[str, str]:
    return {name: app.query_params[name] for name in app.query_params}


def comes_with(app: AppTest, old: dict[str, str], change: Callable[[], object]) -> None:
    """The next change's message left the browser before it had heard of the newest address."""
    app.query_params.clear()
    for name, value in old.items():
        app.query_params[name] = value
    change()
    app.run()


def test_the_second_of_two_quick_clicks_keeps_the_first_ones_choice(app: AppTest):
    app.selectbox(key="any-target").set_value(3).run()
    before = address(app)
    app.selectbox(key="any-target").set_value(9).run()
    comes_with(app, before, lambda: app.selectbox(key="any-against").set_value(3))
    assert app.text[0].value == "9 against 3"
    comes_with(app, before, lambda: app.selectbox(key="any-target").set_value(1))  # and of three
    assert app.text[0].value == "1 against 3"


def test_who_has_heard_of_the_first_of_two_clicks_keeps_the_second(app: AppTest):
    app.selectbox(key="any-target").set_value(3).run()
    before = address(app)
    app.selectbox(key="any-target").set_value(9).run()
    first = address(app)
    comes_with(app, before, lambda: app.selectbox(key="any-against").set_value(4))
    comes_with(app, first, lambda: None)
    assert app.text[0].value == "9 against 4"
    comes_with(app, first, lambda: app.selectbox(key="any-target").set_value(5))
    assert app.text[0].value == "5 against 4"


def test_what_else_stands_in_the_address_makes_it_no_other(app: AppTest):
    app.selectbox(key="any-target").set_value(3).run()
    before = address(app)
    app.selectbox(key="any-target").set_value(9).run()
    comes_with(app, before | {"brush": "20"}, lambda: None)
    assert app.text[0].value == "9 against None"


def test_an_old_address_is_meant_once_the_browser_has_had_the_time_to_hear(app: AppTest, monkeypatch):
    app.selectbox(key="any-target").set_value(3).run()
    before = address(app)
    app.selectbox(key="any-target").set_value(9).run()
    monkeypatch.setattr("dashboard.page_link.HEARD", 0.0)
    comes_with(app, before, lambda: None)
    assert app.text[0].value == "3 against None"


def test_what_comes_by_itself_with_an_old_address_changes_nothing(app: AppTest):
    app.selectbox(key="any-target").set_value(3).run()
    before = address(app)
    app.selectbox(key="any-target").set_value(9).run()
    newest = address(app)
    for _ in range(2):  # the second one is no sign that the browser knows the newest by now
        comes_with(app, before, lambda: None)
        assert app.text[0].value == "9 against None"
    comes_with(app, newest, lambda: app.selectbox(key="any-against").set_value(3))
    assert app.text[0].value == "9 against 3"


def test_what_was_chosen_again_is_not_taken_for_old(app: AppTest):
    app.selectbox(key="any-target").set_value(3).run()
    first = address(app)
    app.selectbox(key="any-target").set_value(9).run()
    second = address(app)
    app.selectbox(key="any-target").set_value(3).run()
    comes_with(app, second, lambda: None)
    assert app.text[0].value == "3 against None"
    comes_with(app, first, lambda: None)
    assert app.text[0].value == "3 against None"


def test_after_back_a_click_changes_what_back_brought(app: AppTest):
    app.selectbox(key="any-target").set_value(3).run()
    before = address(app)
    app.selectbox(key="any-target").set_value(9).run()
    go_to(app, before)
    assert app.text[0].value == "3 against None"
    app.selectbox(key="any-against").set_value(5).run()
    assert app.text[0].value == "3 against 5"
