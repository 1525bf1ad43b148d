"""One search on several processes: Keras Tuner's chief, who chooses, and workers, who train."""

import contextlib
import os
import socket

ADDRESS, PORT, NAME = "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT", "KERASTUNER_TUNER_ID"
# How long a worker waits for the chief, who may have to read the corpus first.
PATIENCE = 600.0


def role():
    """What this process is in a search: "alone", "chief" or "worker", by Keras Tuner's environment variables.

    Raises:
        ValueError: if some of the three are set and others not.
    """
    if ADDRESS not in os.environ and PORT not in os.environ:
        return "alone"
    missing = [name for name in (ADDRESS, PORT, NAME) if not os.environ.get(name)]
    if missing:
        raise ValueError(
            f"The environment variables {ADDRESS}, {PORT} and {NAME} belong together: set {' and '.join(missing)} too, "
            f"or none of them. Received: {', '.join(name for name in (ADDRESS, PORT, NAME) if name not in missing)}"
        )
    return "chief" if "chief" in os.environ[NAME] else "worker"


def is_worker():
    """Whether this process trains for a chief."""
    return role() == "worker"


def check_connection():
    """Makes sure that a chief can listen where it is told to, or that a worker's chief answers.

    Raises:
        ConnectionError: if that is not so.
    """
    place = f"{os.environ.get(ADDRESS)}:{os.environ.get(PORT)}"
    if role() == "chief":
        try:
            with contextlib.closing(socket.socket()) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((os.environ[ADDRESS], int(os.environ[PORT])))
        except (OSError, ValueError, OverflowError) as error:
            raise ConnectionError(
                f"{place}: the chief can't listen there; choose a free port and an address of this machine with {PORT} "
                f"and {ADDRESS}. Received: {getattr(error, 'strerror', None) or error}"
            ) from None
    elif role() == "worker":
        import grpc

        with grpc.insecure_channel(place) as channel:
            try:
                grpc.channel_ready_future(channel).result(timeout=PATIENCE)
            except grpc.FutureTimeoutError:
                raise ConnectionError(
                    f"{place}: no chief answers; start it with the same command and {NAME}=chief, or look whether the "
                    f"search has ended. Received: nothing in {PATIENCE:g} s"
                ) from None


@contextlib.contextmanager
def told_of_a_lost_chief():
    """A worker whose chief is gone says so in one line."""
    import grpc

    try:
        yield
    except grpc.RpcError as error:
        raise ConnectionError(
            f"{os.environ.get(ADDRESS)}:{os.environ.get(PORT)}: the chief answers no more; start it again, then this "
            f"worker. Received: {error.code().name}"
        ) from None
