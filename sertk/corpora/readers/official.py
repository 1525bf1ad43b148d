"""What the makers of a corpus say that it holds."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Official:
    """The published facts of a corpus.

    Args:
        title: the corpus' full name.
        language: ISO 639-1 code.
        licence: in a few words.
        source: where to get it.
        clips: number of clips.
        emotions: dict of emotion, in its canonical word, to clips; empty for an unlabelled corpus.
        speakers: number of speakers.
        by_speaker: dict of each speaker to clips, None where the number is not published; empty where not even the
            speakers' names are.
    """

    title: str
    language: str
    licence: str
    source: str
    clips: int
    speakers: int
    emotions: dict = field(default_factory=dict)
    by_speaker: dict = field(default_factory=dict)
