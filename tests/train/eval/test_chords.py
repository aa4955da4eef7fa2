"""Chords of systems beside lead sheets: the songs, the figures and the tables."""

import gzip
import json

import pytest

from accomp import Accompanist, Note, Score, Track, write_midi
from accomp.music.keys import Key
from accomp.music.score import Chord, TimeSignature
from train.eval import chord_figures
from train.eval.chord_songs import bench_songs, section_songs, sheet_songs
from train.eval.given_chords import bench_match
from train.metrics.chords import Count

MELODY = [(62, 4), (66, 2), (69, 2), (67, 3), (66, 1), (64, 4), (66, 2), (67, 2), (69, 4), (62, 8)]
BLOCKS = [(0, (50, 54, 57), 8), (8, (50, 54, 57, 60), 2), (10, (55, 59, 62, 64), 6)]
BLOCKS += [(16, (57, 61, 64), 8), (24, (50, 54, 57), 8)]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A lead sheet in D of eight bars, and a peer's band that plays two of its chords."""
    folder = tmp_path_factory.mktemp("bench")
    place = folder / "001"
    place.mkdir()
    tune, onset = [], 0.0
    for pitch, beats in MELODY:
        tune.append(Note(pitch, onset, float(beats), 90))
        onset += beats
    block = [
        Note(pitch, float(at), float(beats), 60) for at, tones, beats in BLOCKS for pitch in tones
    ]
    lead = Track("lead", 80, notes=tune)
    write_midi(Score([lead, Track("", 0, notes=block)]), place / "lead_sheet.mid")
    band = [note for note in block if note.onset in (0, 16, 24)]
    write_midi(Score([lead, Track("", 25, notes=band)]), place / "getmusic.mid")
    (place / "phrases.txt").write_text("A4B4\n")
    (place / "analyzed_key.txt").write_text("D:maj\n")
    (place / "src.txt").write_text("nottingham\\Tune.mid")
    return folder


def test_full_symbols_are_read_from_the_block_chords(bench):
    (song,) = bench_songs(bench)
    assert song.group == "nottingham" and song.sheet.key == Key(2, False)
    assert song.sheet.phrase_ends == {3, 7}
    names = [[str(one) for one in known] for known in song.sheet.readings]
    assert names[:4] == [["D"]] * 4 and names[4] == ["D7"] and set(names[5]) == {"Em7", "G6"}
    assert names[8:] == [["A"]] * 4 + [["D"]] * 4
    assert [track.program for track in song.melody.tracks] == [80]


def test_a_peers_band_is_heard_in_the_melodys_key(bench):
    (song,) = bench_songs(bench)
    found = chord_figures.measure([song], chord_figures.peers, [0])
    counts = found["GETMusic"].counts["nottingham"]
    assert counts == found["GETMusic"].counts["all"]
    assert counts["root"] == Count(12, 16)  # it is silent for four half bars
    assert counts["match"] == Count(12, 16)
    assert counts["full"] == Count(1, 1)


def test_named_chords_last_until_the_next_and_sum_over_songs_and_seeds(bench):
    (song,) = bench_songs(bench)
    chords = [Chord(0.0, "D"), Chord(16.0, "A7"), Chord(24.0, "D")]

    def choose(song, seed):
        return {"ours": chord_figures.of_plan(chords, song)}

    figures = chord_figures.measure([song], choose, [0, 1])["ours"].counts["all"]
    assert figures["triad"] == Count(26, 32) and figures["family"] == Count(16, 32)
    assert figures["changes"] == Count(4, 6)
    text = chord_figures.table({"ours": chord_figures.Figures({"all": figures})}, "all")
    assert "| triad | 81.2 |" in text and "| changes against the sheets | -33 |" in text


def test_lead_sheets_of_a_split_lose_their_chords_to_the_sheet(tmp_path):
    row = {
        "id": "somewhere/jig",
        "title_hash": "000000000015",  # 21: val
        "meter": "6/8",
        "pickup": 0.5,
        "key": "G",
        "genre": "folk",
        "melody": [[i * 0.5, 0.5, 67 + i % 5] for i in range(37)],
        "chords": [[0.5, 4.5, "G", 7, [0, 4, 7], 7], [5.0, 13.5, "D7", 2, [0, 4, 7, 10], 2]],
    }
    path = tmp_path / "jigs.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(row | {"meter": m}) + "\n" for m in ("6/8", "mixed:6/8"))
    assert sheet_songs([path], "train") == []
    (song,) = sheet_songs([path], "val")
    assert song.melody.meters == [TimeSignature(0.0, 6, 8)] and not song.melody.chords
    assert [str(known[0]) if known else "" for known in song.sheet.readings[:6]] == [
        "",  # the pickup
        "G",
        "G",
        "G",
        "D7",
        "D7",
    ]
    assert song.sheet.phrase_ends == {4, 6}


def test_sections_without_a_meter_are_read_in_four(tmp_path):
    row = {"id": "sections/one", "title_hash": None, "meter": None, "pickup": 0.0}
    row |= {"melody": [[0.5 * i, 0.5, 60 + i % 5] for i in range(32)]}
    row |= {"chords": [[0.0, 8.0, "C", 0, [0, 4, 7], 0], [8.0, 8.0, "F/A", 5, [0, 4, 7], 9]]}
    path = tmp_path / "sections.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(row | {"id": f"sections/{i}"}) + "\n" for i in range(6))
    songs = section_songs(path, 2)
    assert [song.name for song in songs] == ["sections/0", "sections/3"]
    assert [str(known[0]) for known in songs[0].sheet.readings] == ["C"] * 4 + ["F/A"] * 4


@pytest.mark.usefixtures("loaded_once")
def test_given_triads_of_the_bench_are_heard_in_our_band(bench):
    (song,) = bench_songs(bench)
    found = bench_match(Accompanist.from_pretrained("pop"), [song])
    assert found["all"] == found["nottingham"] and found["all"].of == 16
    assert found["all"].found >= 15
