"""The dashboard's own server, which tells on SIGUSR1 what lives in it: sessions and threads.

`python -m scripts.visitors.server run dashboard/server.py …` is `streamlit run dashboard/server.py …` but
for that. The sessions are counted among Python's own objects, so one that something still holds is seen.
"""

import gc
import json
import os
import signal
import threading
from pathlib import Path

COUNTS = "SOAK_COUNTS"  # the file to write to


def _tell(*_: object) -> None:
    from streamlit.runtime.app_session import AppSession

    gc.collect()
    sessions = sum(isinstance(each, AppSession) for each in gc.get_objects())
    told = {"sessions": sessions, "threads": threading.active_count()}
    place = Path(os.environ[COUNTS])
    part = place.with_suffix(".part")
    part.write_text(json.dumps(told))
    part.replace(place)


if __name__ == "__main__":
    from streamlit.web.cli import main

    signal.signal(signal.SIGUSR1, _tell)
    main(prog_name="streamlit")
