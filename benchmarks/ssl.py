"""Times a speech encoder against transformers' own: `python benchmarks/ssl.py` runs `speech_encoders.py`.

It is not written here since Python has a module of this name. Scripts look for modules in their own folder first, so
that whatever imports `ssl` beside the benchmarks, as most of what can download does, finds this file and not Python's.
It gets Python's.
"""

import sys

if __name__ == "__main__":
    from speech_encoders import main

    sys.exit(main())
elif __name__ == "ssl":
    import importlib.util
    import sysconfig
    from importlib.machinery import PathFinder

    _found = PathFinder.find_spec(__name__, [sysconfig.get_path("stdlib")])
    sys.modules[__name__] = importlib.util.module_from_spec(_found)
    _found.loader.exec_module(sys.modules[__name__])
