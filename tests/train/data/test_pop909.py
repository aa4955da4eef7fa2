"""POP909's annotations in seconds become scores on their beats."""

from accomp import Note, Score, Track, read_midi, write_midi
from train.data import pop909


def test_pop909_on_its_beats(tmp_path):
    folder = tmp_path / "source" / "001"
    folder.mkdir(parents=True)
    # Beats of 0.5 s from 0.25 s on, a downbeat on the third of them.
    rows = [f"{0.25 + 0.5 * i} {i % 2}.0 {float(i % 4 == 2)}" for i in range(20)]
    (folder / "beat_midi.txt").write_text("\n".join(rows))
    (folder / "chord_midi.txt").write_text(
        "0.25\t1.25\tN\n1.25\t3.25\tB:min7/b7\n3.25\t5.25\tE:7\n5.25\t9.75\tA:maj/3"
    )
    tune = [
        Note(60 + i, 2.5 + i, 1.0, 80) for i in range(14)
    ]  # at 120 a minute: 1.25 s, 1.75 s, ...
    write_midi(
        Score([Track("MELODY", 0, notes=tune), Track("PIANO", 0, notes=tune[:3])]),
        folder / "001.mid",
    )
    pop909.main([str(tmp_path / "source"), "--out", str(tmp_path / "out")])
    score = read_midi(tmp_path / "out" / "001.mid")
    assert [round(note.onset, 3) for note in score.tracks[0].notes[:3]] == [
        4.0,
        5.0,
        6.0,
    ]  # two beats came before a bar
    assert [(c.onset, c.symbol) for c in score.chords] == [
        (4.0, "Bm7/A"),
        (8.0, "E7"),
        (12.0, "A/C#"),
    ]
    assert (tmp_path / "out" / "labels.csv").read_text().splitlines() == [
        "file,genre,licence",
        "001.mid,pop,MIT",
    ]


def test_a_bar_of_another_length_moves_no_other_bar(tmp_path):
    folder = tmp_path / "002"
    folder.mkdir()
    downbeats = (1, 5, 7, 11, 15)  # a beat before the first; the second bar has two beats
    (folder / "beat_midi.txt").write_text(
        "\n".join(f"{0.5 * i} 0.0 {float(i in downbeats)}" for i in range(19))
    )
    (folder / "chord_midi.txt").write_text("0.5\t9.0\tC:maj")
    write_midi(
        Score([Track("MELODY", 0, notes=[Note(60, float(i), 1.0, 80) for i in range(18)])]),
        folder / "002.mid",
    )
    score = pop909.on_beats(folder)
    bars = score.bars(score.end)
    onsets = [score.tracks[0].notes[i].onset for i in downbeats]
    assert [bar.onset for bar in bars] == [0.0, *onsets] and [
        bar.meter.numerator for bar in bars
    ] == [4, 4, 2, 4, 4, 4]
