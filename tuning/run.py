"""One search on several processes of this machine: a chief, and as many workers as you like.

    python tuning/run.py --workers 2 -- parallel-cnn --corpus ravdess=data/ravdess -o searches/rate

What follows `--` goes to `sertk tune` as it is. With `--gpus` each worker has a GPU of its own. A worker that dies is
started again, three times at most, and goes on with the trial that it had.
"""

import argparse
import os
import socket
import subprocess
import sys
import time

RESTARTS = 3


def main(arguments=None):
    """Starts the processes, waits for them, and gives the chief's status."""
    parser = argparse.ArgumentParser(description="One search on several processes of this machine.")
    parser.add_argument("--workers", type=int, default=2, help="how many train (default 2)")
    parser.add_argument("--gpus", action="store_true", help="give each worker a GPU of its own")
    parser.add_argument("command", nargs="+", metavar="...", help="what `sertk tune` takes, after --")
    chosen = parser.parse_args(arguments)
    if chosen.workers < 1:
        parser.error(f"--workers must be at least 1. Received: {chosen.workers}")
    address = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": str(free_port())}

    def start(name, **own):
        command = [sys.executable, "-m", "sertk.cli", "tune", *chosen.command]
        return subprocess.Popen(command, env={**os.environ, **address, "KERASTUNER_TUNER_ID": name, **own})

    def start_worker(number):
        return start(f"worker-{number}", **({"CUDA_VISIBLE_DEVICES": str(number)} if chosen.gpus else {}))

    # The chief trains nothing, and would take the memory of a GPU.
    chief = start("chief", CUDA_VISIBLE_DEVICES="-1")
    workers = {number: start_worker(number) for number in range(chosen.workers)}
    left = RESTARTS
    try:
        while chief.poll() is None:
            time.sleep(1)
            for number, worker in workers.items():
                if worker.poll() and left:
                    left -= 1
                    workers[number] = start_worker(number)
            # A chief waits for workers that it knows, for ever.
            if all(worker.poll() is not None for worker in workers.values()) and any(
                worker.poll() for worker in workers.values()
            ):
                break
    finally:
        for process in (chief, *workers.values()):
            if process.poll() is None:
                process.terminate()
        statuses = [process.wait() for process in (chief, *workers.values())]
    return max(map(abs, statuses[1:])) if any(statuses[1:]) else abs(statuses[0])


def free_port():
    """A port that nobody listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main())
