"""Lines that break and servers that lie: either the published bytes come, or an error that says what to do."""

import hashlib
import socket

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sertk.corpora import download, load
from sertk.corpora.downloads import resuming
from sertk.corpora.downloads.remote import Remote
from sertk.corpora.downloads.resuming import ResumingDownloader

ZIP = "/emodb.zip"


@pytest.fixture
def fetched(published, tmp_path):
    """A function that downloads the corpus and returns how many clips it has."""
    return lambda: len(load("emo_db", download("emo_db", tmp_path / "emo")))


@pytest.fixture
def part(tmp_path):
    return tmp_path / ".emo.download" / "emodb.zip.part"


def ranges(publisher):
    return [headers.get("Range") for headers in publisher.asked(ZIP)]


def test_a_line_that_breaks_is_taken_up_again_where_it_broke(publisher, fetched, zipped):
    publisher.script[ZIP] = [{"cut": 150_000}, {"cut": 70_000}]
    assert fetched() == 3
    first, second, third = ranges(publisher)
    assert first is None
    # Of what breaks off, a block of 65,536 bytes is lost at most.
    assert 150_000 - 65_536 < int(second[6:-1]) <= 150_000
    assert int(second[6:-1]) < int(third[6:-1]) < len(zipped)
    assert publisher.asked(ZIP)[1]["If-Range"] == f'"{hashlib.sha1(zipped).hexdigest()}"'


def test_a_server_without_ranges_sends_all_of_it_again(publisher, fetched):
    publisher.script[ZIP] = [{"cut": 150_000}, {"ranges": False}]
    assert fetched() == 3
    assert len(publisher.requests) == 2


def test_a_file_that_has_changed_meanwhile_is_not_glued_to_what_it_was(publisher, fetched, part):
    """Both by a server that heeds If-Range and by one that does not."""
    for trusting in (False, True):
        part.parent.mkdir()
        part.write_bytes(b"x" * 1000)
        part.with_name("emodb.zip.part.json").write_text(
            f'{{"url": "{publisher.address}{ZIP}", "mark": "\\"old\\"", "length": 280000}}'
        )
        publisher.script[ZIP] = [{"trusting": trusting}]
        assert fetched() == 3
        (part.parent.parent / "emo").rename(part.parent.parent / f"emo-{trusting}")
    assert ranges(publisher) == ["bytes=1000-", "bytes=1000-", None]


def test_a_part_of_nobody_knows_what_is_thrown_away(publisher, fetched, part):
    part.parent.mkdir()
    part.write_bytes(b"x" * 1000)
    for about in (None, "", "[]", '{"url": "http://elsewhere", "mark": "a", "length": 5000}'):
        if about is not None:
            part.with_name("emodb.zip.part.json").write_text(about)
        assert fetched() == 3
        (part.parent.parent / "emo").rename(part.parent.parent / f"emo-{about and len(about)}")
        part.parent.mkdir()
        part.write_bytes(b"x" * 1000)
    assert ranges(publisher) == [None] * 4


def test_without_mark_and_checksum_nothing_is_glued(publisher, published, fetched):
    published(checksum=None, size=None)
    publisher.script[ZIP] = [{"cut": 150_000, "mark": None}, {"mark": None}]
    assert fetched() == 3
    assert ranges(publisher) == [None, None]


def test_a_line_that_always_breaks_at_one_place_is_given_up_and_what_came_is_kept(publisher, fetched, part, waits):
    publisher.script[ZIP] = [{"cut": 150_000}] + [{"cut": 0}] * 9
    with pytest.raises(ConnectionError, match=r"can't be downloaded; call again .*, the \d+\.\d kB that came are kept"):
        fetched()
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert part.stat().st_size > 80_000
    publisher.script[ZIP] = []
    assert fetched() == 3
    assert ranges(publisher)[-1] == ranges(publisher)[-2]


def test_wrong_bytes_are_named_and_deleted_and_the_next_call_starts_afresh(publisher, fetched, part, zipped, tmp_path):
    wrong = zipped[:-1] + b"?"
    publisher.script[ZIP] = [{"body": wrong}]
    with pytest.raises(ValueError, match=r"emodb.zip: is not the file that was published, and was deleted") as error:
        fetched()
    for words in (
        f"md5 {hashlib.md5(wrong).hexdigest()} in place of {hashlib.md5(zipped).hexdigest()}",
        "see https://example.org/emo-db",
    ):
        assert words in str(error.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size]
    assert fetched() == 3
    assert ranges(publisher) == [None, None]


@pytest.mark.parametrize(
    ("told", "step"),
    [
        ("offers another file.*Received: 1,000 bytes in place of", {"length": 1000}),
        ("offers another file.*Received: 999,999 bytes in place of", {"length": 999_999}),
        ("sends more than it should", {"length": None, "body": b"y" * 400_000}),
    ],
)
def test_a_server_that_lies_about_a_published_length_is_found_out(publisher, fetched, tmp_path, told, step):
    publisher.script[ZIP] = [step]
    with pytest.raises(ValueError, match=told):
        fetched()
    assert not (tmp_path / "emo").exists()
    assert fetched() == 3


def test_a_server_that_lies_about_an_unpublished_length_is_found_out_too(publisher, published, fetched, zipped):
    published(checksum=None, size=None)
    publisher.script[ZIP] = [{"length": len(zipped) + 10}] * 50
    with pytest.raises(ConnectionError, match=r"gives another file each time; see https://example.org/emo-db"):
        fetched()
    publisher.script[ZIP] = [{"length": 1000}]
    with pytest.raises(ValueError, match=r"emodb.zip: is no whole ZIP"):
        fetched()
    publisher.script[ZIP] = []
    assert fetched() == 3


def test_a_stream_without_an_end_has_one(publisher, published, fetched, monkeypatch):
    published(checksum=None, size=None)
    monkeypatch.setattr(resuming, "MOST", 100_000)
    publisher.script[ZIP] = [{"length": None}]
    with pytest.raises(ValueError, match=r"sends more than it should.*more than 100,000 bytes"):
        fetched()


def test_a_length_that_is_not_told_does_no_harm(publisher, fetched):
    publisher.script[ZIP] = [{"length": None}]
    assert fetched() == 3


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_file_that_is_not_there_is_asked_for_once(publisher, fetched, waits, status):
    publisher.script[ZIP] = [{"status": status}]
    with pytest.raises(ConnectionError, match=f"gives no such file; see https://example.org/emo-db.*{status}"):
        fetched()
    assert len(publisher.requests) == 1
    assert waits == []


def test_a_server_with_an_error_is_asked_five_times(publisher, fetched, waits):
    publisher.script[ZIP] = [{"status": 500}] * 5
    with pytest.raises(ConnectionError, match=r"can't be downloaded.*Received: 500 Internal Server Error"):
        fetched()
    assert len(publisher.requests) == 5


def test_a_busy_server_is_given_the_time_that_it_asks_for_but_not_hours(publisher, fetched, waits):
    publisher.script[ZIP] = [
        {"status": 503, "headers": {"Retry-After": "7"}},
        {"status": 429, "headers": {"Retry-After": "7200"}},
    ]
    assert fetched() == 3
    assert waits == [7, 60]


def test_redirects_are_followed_and_circles_told(publisher, fetched, zipped):
    publisher.files["/moved.zip"] = zipped
    publisher.script[ZIP] = [{"status": 302, "headers": {"Location": "/moved.zip"}}]
    publisher.script["/moved.zip"] = [{"cut": 150_000}]
    publisher.script[ZIP].append({"status": 302, "headers": {"Location": "/moved.zip"}})
    assert fetched() == 3
    assert publisher.asked("/moved.zip")[1]["Range"].startswith("bytes=")


def test_redirects_in_a_circle_are_told(publisher, fetched):
    publisher.script[ZIP] = [{"status": 302, "headers": {"Location": ZIP}}] * 50
    with pytest.raises(ConnectionError, match=r"leads in a circle; see https://example.org/emo-db"):
        fetched()


def test_without_a_network_the_answer_comes_at_once(waits, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a.zip"
        remote = Remote("a.zip", (url,), "https://example.org")
        with pytest.raises(ConnectionError, match=r"call again when .* Received: Connection refused$") as error:
            downloader(remote, tmp_path)(url, tmp_path / "a.zip", None)
    assert "\n" not in str(error.value)
    assert waits == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.integers(0, 400_000), max_size=4),
    honoured=st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_wherever_the_line_breaks_the_bytes_are_those_that_were_published(
    publisher, waits, zipped, tmp_path, cuts, honoured
):
    url, output = f"{publisher.address}/a.zip", tmp_path / "a.zip"
    publisher.files["/a.zip"] = zipped
    publisher.script["/a.zip"] = [
        {"cut": cut, "ranges": ranges} for cut, ranges in zip(cuts, honoured[: len(cuts)], strict=True)
    ]
    counted = []
    remote = Remote("a.zip", (url,), "https://example.org", f"md5:{hashlib.md5(zipped).hexdigest()}", len(zipped))
    for _ in range(5):  # a line that breaks before its first byte is given up
        try:
            downloader(remote, tmp_path, counted.append)(url, output, None)
            break
        except ConnectionError:
            counted.clear()
    assert output.read_bytes() == zipped
    assert sum(counted) == len(zipped)
    assert list(tmp_path.iterdir()) == [output]
    output.unlink()


def downloader(remote, folder, update=lambda _: None):
    return ResumingDownloader(remote, folder / "a.zip.part", requests.Session(), update, lambda *_: None)
