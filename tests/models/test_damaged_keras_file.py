"""Damaged `.keras` files, by hypothesis: bytes changed, cut or swapped, in the archive or inside a member of it."""

import io
import zipfile

import keras
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sertk.audio import FixedLength
from sertk.features import MFCC
from sertk.models import from_waveform, load

MEMBERS = ("config.json", "metadata.json", "model.weights.h5")
# A load takes some tenths of a second.
DAMAGE = settings(
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The bytes of a small model of sertk's, from waveforms to probabilities."""
    network = keras.Sequential(
        [
            keras.Input((5, 4)),
            keras.layers.Conv1D(3, 2, activation="relu"),
            keras.layers.GlobalMaxPooling1D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model = from_waveform(network, MFCC(n_mfcc=4, n_mels=8, n_fft=64, hop_length=32), fixed_length=FixedLength(128))
    path = tmp_path_factory.mktemp("sound") / "model.keras"
    model.save(path)
    return path.read_bytes()


def damaged(content, data):
    """The same bytes, some of them changed, or swapped, or all behind some place cut off."""
    content = bytearray(content)
    place = st.integers(0, len(content) - 1)
    for _ in range(data.draw(st.integers(1, 4))):
        how = data.draw(st.sampled_from(["change", "flip", "swap", "digit"]))
        here = data.draw(place)
        if how == "change":
            content[here] = data.draw(st.integers(0, 255))
        elif how == "flip":
            content[here] ^= 1 << data.draw(st.integers(0, 7))
        elif how == "digit":
            content[here] = data.draw(st.sampled_from(b'0123456789"{}[],:'))
        else:
            there = data.draw(place)
            content[here], content[there] = content[there], content[here]
    return bytes(content[: data.draw(st.sampled_from([len(content)] * 9 + [len(content) // 2, 10]))])


def loads_or_is_one_line(path):
    try:
        model = load(path)
    except ValueError as error:
        assert str(error).startswith(f"{path}: ")  # noqa: PT017  (no error is as good)
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert isinstance(model, keras.Model)


@pytest.mark.slow
@DAMAGE
@given(st.data())
def test_a_damaged_archive_loads_or_is_one_line(sound, tmp_path, data):
    path = tmp_path / "model.keras"
    path.write_bytes(damaged(sound, data))
    loads_or_is_one_line(path)


@pytest.mark.slow
@DAMAGE
@given(st.sampled_from(MEMBERS), st.data())
def test_a_damaged_member_loads_or_is_one_line(sound, tmp_path, name, data):
    """Packed again, so that sizes and checksums of the archive are right."""
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(io.BytesIO(sound)) as archive, zipfile.ZipFile(path, "w") as new:
        for member in archive.namelist():
            content = archive.read(member)
            new.writestr(member, damaged(content, data) if member == name else content)
    loads_or_is_one_line(path)


def test_a_list_of_members_of_another_size_is_one_line(sound, tmp_path):
    """Found by the first test above, with other seeds."""
    content = bytearray(sound)
    # The end record's last fields: the size of the list, 4 bytes, where it begins, 4, and the length of a comment, 2.
    size = int.from_bytes(content[-10:-6], "little")
    content[-10:-6] = (size - 7).to_bytes(4, "little")
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.keras: is no `\.keras` file, or only a part of one"):
        load(path)


@pytest.mark.slow
# Where numbers and names are, and nearly every change tells.
@pytest.mark.parametrize("field", [b'"config": ', b'"name": ', b'"units": ', b'"batch_shape": ', b'"inbound_nodes": '])
@pytest.mark.parametrize("value", [b"null", b"-1", b"1e400", b"[]", b'{"a": 1}', b'"\\n"', b"true", b"[[[]]]"])
def test_another_value_in_a_description_loads_or_is_one_line(sound, tmp_path, field, value):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(io.BytesIO(sound)) as archive, zipfile.ZipFile(path, "w") as new:
        for member in archive.namelist():
            content = archive.read(member)
            if member == "config.json":
                before, after = content.rsplit(field, 1)
                content = before + field + value + b', "was": ' + after
            new.writestr(member, content)
    loads_or_is_one_line(path)
