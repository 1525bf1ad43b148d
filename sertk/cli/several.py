"""Options that take several values at once, as a shell gives them: `--with runs/nsl-*`."""

import typer.core


class TakesSeveral(typer.core.TyperCommand):
    """A command whose options with several values take all words up to the next option.

    Such an option can still be given once for each value, and the first value may follow an equals sign. Without this,
    `--with a b c` would take a, and leave b and c to the command's arguments.
    """

    def parse_args(self, ctx, args):
        """Writes the option's name before each of its values, as the parser wants them."""
        several = {name for option in self.params if getattr(option, "multiple", False) for name in option.opts}
        written, current = [], None
        for place, word in enumerate(args):
            if word == "--":
                written += args[place:]
                break
            if current is not None and not word.startswith("-"):
                # The first value already has the name before it.
                written += [word] if written[-1] == current else [current, word]
                continue
            name, equals, value = word.partition("=")
            current = name if name in several else None
            written += [name, value] if current and equals else [word]
        return super().parse_args(ctx, written)
