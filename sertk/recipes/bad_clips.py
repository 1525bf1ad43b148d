"""Clips that can't be decoded: refused in one line, or left out and listed."""

import warnings

from sertk.audio.cache import BYTES


def without_bad(manifest, waveforms, skip_bad, progress=True):
    """The manifest without the clips that can't be decoded, or as it is where they shall be an error.

    Args:
        manifest: DataFrame with `path`.
        waveforms: `WaveformCache`, in which all that can be decoded is then.
        skip_bad: bool, whether to leave them out.
        progress: bool, whether to show a bar on a terminal. Defaults to True.

    Returns:
        DataFrame; its `attrs["skipped"]` lists what was left out.

    Raises:
        ValueError: if bad clips were found before and shall not be left out, or no clip is left.
    """
    if skip_bad:
        return _without(manifest, waveforms.bad(manifest["path"], progress=progress))
    refuse_bad(manifest)
    return manifest


def refuse_bad(manifest):
    """Refuses a manifest whose corpus has clips that can't be decoded, as its reader found."""
    bad = [entry for entry in manifest.attrs.get("skipped", []) if entry.get("kind") == "bad"]
    if bad:
        shown = "; ".join(f"{clip['path']}: {clip['reason']}" for clip in bad[:3]) + "; ..." * (len(bad) > 3)
        raise ValueError(
            f"`manifest` must not lack clips whose sound can't be had; mend or delete them, or leave them out with "
            f"`skip_bad` (--skip-bad). Received: {len(bad)} of them: {shown}"
        )


def refuse_short(manifest, waveforms, shortest, progress=True):
    """Refuses clips with fewer samples than a network needs.

    Args:
        manifest: DataFrame with `path`.
        waveforms: `WaveformCache`, in which all of them are then.
        shortest: int, samples.
        progress: bool, whether decoding shows a bar on a terminal. Defaults to True.

    Raises:
        ValueError: if there are any.
    """
    entries = waveforms.prepare(manifest["path"], progress=progress)
    samples = [entry.stat().st_size // BYTES for entry in entries]
    short = [(path, size) for path, size in zip(manifest["path"], samples, strict=True) if size < shortest]
    if short:
        (path, size), *rest = short
        raise ValueError(
            f"{path}: is too short for the network, which hears at least {shortest} samples; take it out of the "
            f"corpus{f', and {len(rest)} others' if rest else ''}. Received: {size} samples"
        )


def _without(manifest, bad):
    sound = ~manifest["path"].isin([clip["path"] for clip in bad])
    if not sound.any():
        raise ValueError(
            "`manifest` must hold at least one clip that can be decoded. "
            f"Received: {len(bad)} clips, the first {bad[0]['path']}: {bad[0]['reason']}"
        )
    if bad:
        summary = f"left out {len(bad)} clips that can't be decoded, the first {bad[0]['path']}: {bad[0]['reason']}"
        warnings.warn(f"{summary}. skipped.csv lists them all.", UserWarning, stacklevel=5)
    rest = manifest[sound].reset_index(drop=True)
    rest.attrs["skipped"] = [*manifest.attrs.get("skipped", []), *({**clip, "kind": "bad"} for clip in bad)]
    return rest
