"""Times forward pass and training step of wav2vec2-base against transformers' PyTorch network, after comparing them.

    python benchmarks/ssl.py --json ssl.json

Both have the same random weights, 7 classes and transformers' classification head, and get the same clips of 3 s. A
forward pass must give the same log probabilities, and the first training steps the same losses, before they are timed.

Each network runs in a process of its own, all cores to itself while the others wait, and by turns. Of transformers'
two kinds of attention the faster one is what sertk is compared with. Gradient checkpointing computes the transformer's
layers anew; transformers does so with the convolutions too.
"""

import contextlib
import importlib.util
import multiprocessing
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import encoder_steps
import numpy as np
from rounds import (
    machine,
    parser,
    peak_memory,
    print_machine,
    print_table,
    take_turns,
    times_as_fast,
    whole,
    write_json,
)

BACKBONE = "facebook/wav2vec2-base"
# Off: with chance in them, the two would not do the same work.
DROPOUTS = (
    *("hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout", "final_dropout"),
    "layerdrop",
)
# Whether each trains, and whether it checkpoints gradients.
TASKS = {
    "forward": (False, False),
    "training": (True, False),
    "checkpointed": (True, True),
}
TITLES = {
    "forward": "Forward pass",
    "training": "Training step",
    "checkpointed": "Training step with gradient checkpointing",
}
SERTK, PEERS = "sertk", {"transformers, eager": "eager", "transformers, sdpa": "sdpa"}
# How far log probabilities and losses may be apart.
CLOSE = 1e-3


class Worker:
    """A process that does one thing after the other when it is asked to, and sleeps in between.

    Args:
        name: str, told where the process fails.
    """

    def __init__(self, name):
        self.name = name
        self.pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        self.processor_seconds = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pool.shutdown()

    def ask(self, function, *arguments):
        """What a function gives in the process.

        Raises:
            SystemExit: if the process came to an end.
        """
        try:
            return self.pool.submit(function, *arguments).result()
        except BrokenProcessPool:
            message = f"{self.name}: its process was ended; it may have wanted more memory than there is"
            raise SystemExit(message) from None

    def seconds(self):
        """Takes a step of what was started; how long it took."""
        seconds, processor = self.ask(encoder_steps.seconds)
        self.processor_seconds.append(processor)
        return seconds


def main(arguments=None):
    # Not above: each worker's process imports this module, and its memory is measured.
    from features import SECONDS, speech

    options = parser(__doc__.splitlines()[0], rounds=7)
    options.add_argument("--clips", type=whole, default=4, help="clips in a batch (default: 4)")
    options.add_argument("--layers", type=whole, default=12, help="of the transformer (default: 12)")
    options.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS), help="default: all")
    options.add_argument("--xla", action="store_true", help="time sertk compiled by XLA too, as Keras does on a GPU")
    options = options.parse_args(arguments)

    about = machine("torch", "transformers")
    print_machine(about)
    peers = PEERS if all(map(importlib.util.find_spec, ("torch", "transformers"))) else {}
    if not peers:
        print("transformers is not installed: `pip install 'torch>=2.6' transformers`\n")
    clips, config, results = speech(options.clips), settings(options.layers), {}
    with tempfile.TemporaryDirectory() as folder:
        if peers:
            with Worker("transformers") as worker:
                worker.ask(encoder_steps.write_checkpoint, config, folder)
        for task in options.tasks:
            shared = (config, folder if peers else None, clips, *TASKS[task])
            works = {SERTK: (encoder_steps.sertk, *shared)}
            works |= {f"{SERTK}, compiled by XLA": (encoder_steps.sertk, *shared, True)} if options.xla else {}
            works |= {name: (encoder_steps.transformers, *shared, attention) for name, attention in peers.items()}
            results[task] = measure(works, options.rounds)
            print(f"{TITLES[task]}: {len(clips)} clips of {SECONDS} s, median of {options.rounds} rounds\n")
            print_table(table(results[task], len(clips)))
    write_json(options.json, machine=about, clips=len(clips), layers=options.layers, **results)


def settings(layers):
    """The configuration of wav2vec2-base for training without chance, as its config.json would hold it."""
    from sertk.models.ssl.published import PUBLISHED

    without = {**dict.fromkeys(DROPOUTS, 0.0), "apply_spec_augment": False}
    return {**PUBLISHED[BACKBONE], **without, "num_hidden_layers": layers, "num_labels": encoder_steps.CLASSES}


def measure(works, rounds):
    """Compares and times networks, each in its process.

    Args:
        works: dict from a name to a builder of `encoder_steps` and its arguments.
        rounds: int.

    Returns:
        dict: of each name its `seconds` and `processor_seconds`, `(rounds,)`, its `peak` of memory, MB, and how far it
        is `apart` from each of transformers' networks at most, None where there is none.
    """
    with contextlib.ExitStack() as running:
        workers = {name: running.enter_context(Worker(name)) for name in works}
        answers = {name: worker.ask(encoder_steps.start, *works[name]) for name, worker in workers.items()}
        apart = {name: disagreement(name, answers) for name in answers}
        seconds = take_turns(workers, rounds, measure=Worker.seconds)
        return {
            "seconds": seconds,
            "processor_seconds": {name: np.array(worker.processor_seconds) for name, worker in workers.items()},
            "peak": {name: worker.ask(peak_memory) for name, worker in workers.items()},
            "apart": apart,
        }


def disagreement(name, answers):
    """How far a network's answer is from those of transformers' networks at most; None where there are none.

    Raises:
        SystemExit: if it is above `CLOSE`: a time would mean nothing then.
    """
    expected = [answers[peer] for peer in PEERS if peer in answers]
    if not expected:
        return None
    apart = float(np.max(np.abs(answers[name] - expected)))
    if not apart <= CLOSE:
        raise SystemExit(f"{name}: is {apart:.2g} from transformers; {CLOSE:g} are allowed")
    return apart


def fastest(seconds):
    """The name of transformers' faster network, or None where there is none."""
    return min((name for name in seconds if name in PEERS), key=lambda name: np.median(seconds[name]), default=None)


def table(result, clips):
    """One row a network: its rate, what that is of transformers' faster one, its work and its memory."""
    seconds = result["seconds"]
    peer = fastest(seconds)
    return [
        {
            "network": name,
            "clips/s": clips / float(np.median(seconds[name])),
            "times transformers' faster": times_as_fast(seconds, name, peer) if peer else None,
            "processor time a step (s)": float(np.median(result["processor_seconds"][name])),
            "peak memory (MB)": result["peak"][name],
            "apart": result["apart"][name],
        }
        for name in seconds
    ]


if __name__ == "__main__":
    sys.exit(main())
