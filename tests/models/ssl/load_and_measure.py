"""What test_pretrained.py runs in a process of its own: loads a checkpoint, prints how many bytes more that took."""

import sys
from pathlib import Path

from sertk.models.ssl.encoder import ssl_encoder
from sertk.models.ssl.pretrained import load_pretrained


def memory(kind):
    """Bytes of this process: "VmRSS", in use now, or "VmHWM", the most so far. `getrusage` would count the parent's."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(kind))
    return int(line.split()[1]) * 1024


def main(folder):
    encoder = ssl_encoder(folder)
    before = memory("VmRSS")
    load_pretrained(encoder, folder)
    print(memory("VmHWM") - before)


if __name__ == "__main__":
    main(sys.argv[1])
