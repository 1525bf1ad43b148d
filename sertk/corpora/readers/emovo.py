"""EMOVO, an Italian emotional speech database."""

from sertk.corpora.readers.names import parse
from sertk.corpora.readers.official import Official
from sertk.corpora.readers.scan import Skip, read_folder

EMOTIONS = {
    "dis": "disgust",
    "gio": "happy",
    "neu": "neutral",
    "pau": "fear",
    "rab": "angry",
    "sor": "surprise",
    "tri": "sad",
}
SENTENCES = {
    "b1": "Gli operai si alzano presto",
    "b2": "I vigili sono muniti di pistola",
    "b3": "La cascata fa molto rumore",
    "l1": "L'autunno prossimo Tony partirà per la Spagna nella prima metà di ottobre",
    "l2": "Ora prendo la felpa di là ed esco per fare una passeggiata",
    "l3": "Un attimo dopo s'è incamminato ed è inciampato",
    "l4": "Vorrei il numero telefonico del Signor Piatti",
    "n1": "La casa forte vuole col pane",
    "n2": "La forza trova il passo e l'aglio rosso",
    "n3": "Il gatto sta scorrendo nella pera",
    "n4": "Insalata pastasciutta coscia d'agnello limoncello",
    "n5": "Uno quarantatré dieci mille cinquantasette venti",
    "d1": "Sabato sera cosa farà?",
    "d2": "Porti con te quella cosa?",
}
SPEAKERS = ("f1", "f2", "f3", "m1", "m2", "m3")
FORM = rf"(?P<emotion>{'|'.join(EMOTIONS)})_(?P<speaker>[fm][1-3])_(?P<sentence>{'|'.join(SENTENCES)})"

OFFICIAL = Official(
    title="EMOVO, Italian emotional speech",
    language="it",
    licence="for research; no open licence is stated",
    source="https://aclanthology.org/L14-1478/",
    clips=588,
    speakers=6,
    emotions=dict.fromkeys(EMOTIONS.values(), 84),
    by_speaker=dict.fromkeys(SPEAKERS, 98),
)


def read_emovo(directory):
    """Reads EMOVO: six Italian actors speak fourteen sentences in seven emotions.

    588 clips of three women and three men, 98 an actor, 84 an emotion, each sentence once. A file name is emotion
    (disgusto, gioia, neutro, paura, rabbia, sorpresa, tristezza), actor and sentence: `rab-f1-b2.wav`. The
    sentences are short ones (b), long ones (l), ones without sense (n) and questions (d).

    Args:
        directory: the folder of `f1` to `m3`, or any folder above it.

    Returns:
        The manifest, with `statement`.

    Source: Costantini, Iaderola, Paoloni and Todisco (2014), Proc. LREC, https://aclanthology.org/L14-1478/; free
        for research.
    """
    return read_folder(directory, _describe, "emovo", language="it")


def _describe(path):
    name = parse(FORM, path.stem)
    if not name:
        raise Skip("the name is not of the form rab-f1-b2")
    return {
        "clip": name.group("emotion", "speaker", "sentence"),
        "emotion": EMOTIONS[name["emotion"]],
        "speaker": name["speaker"],
        "gender": "female" if name["speaker"].startswith("f") else "male",
        "statement": SENTENCES[name["sentence"]],
    }
