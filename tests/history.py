"""Back and Forward in an AppTest: the address alone changes, and the browser says that they were pressed."""

from unittest.mock import PropertyMock, patch

from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.testing.v1 import AppTest


def go_to(app: AppTest, address: dict[str, str]) -> AppTest:
    """Runs the app as it is after Back or Forward has led to an address."""
    app.query_params.clear()
    for name, value in address.items():
        app.query_params[name] = value
    with patch.object(ScriptRunContext, "is_history_navigation", PropertyMock(return_value=True)):
        return app.run()
