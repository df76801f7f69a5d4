"""One live run's process: `python -m core.live_worker FD NICENESS`, started by `core.live_training` alone."""

import os
import pickle
import sys
import traceback
from multiprocessing.connection import Connection

from core.errors import DigitscopeError

STATE, ERROR, BUG = "state", "error", "bug"


def work(connection: "Connection[tuple[str, object], bytes]") -> None:
    """Runs what the first message asks for (a function, its arguments, the pace in s), and sends each state.

    Ends early when the other side closes the connection.
    """
    function, arguments, pace = pickle.loads(connection.recv_bytes())
    try:
        for state in function(*arguments):
            connection.send((STATE, state))
            if connection.poll(pace):
                return
    except DigitscopeError as error:
        connection.send((ERROR, str(error)))
    except BrokenPipeError:
        return
    except Exception:
        connection.send((BUG, traceback.format_exc()))


if __name__ == "__main__":
    os.nice(int(sys.argv[2]))
    work(Connection(int(sys.argv[1])))
