"""Draw one melody's accompaniment three times, for the documents: `python -m train pictures ...`.

    python -m train pictures --corpus CORPUS --paper MODEL --song FILE --out FOLDER

FOLDER gets paper.png, accomp.png and real.png: what the published method, accomp and the song
itself play to the melody.
"""

import argparse
from pathlib import Path

from accomp.band.accompanist import Accompanist
from accomp.plot import save_plot
from accomp.roll.grid import MELODY
from train.data.corpus import Corpus
from train.data.tasks import song_tasks
from train.eval import stage


def main(arguments: list[str] | None = None) -> None:
    """Draw the three pictures of the song that the command line names."""
    parser = argparse.ArgumentParser(
        prog="train pictures", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--corpus", type=Path, required=True, help="folder that `train prepare` wrote"
    )
    parser.add_argument(
        "--paper", type=Path, required=True, help="model folder of the published method"
    )
    parser.add_argument(
        "--song", required=True, help="part of the file name of one of the corpus's test songs"
    )
    parser.add_argument("--genre", default="pop", help="our models (default: pop)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    options = parser.parse_args(arguments)
    corpus = Corpus.load(options.corpus)
    task = next((task for task in song_tasks(corpus, "test") if options.song in task.name), None)
    if task is None:
        raise SystemExit(f"{options.corpus} has no test song named {options.song!r}")
    options.out.mkdir(parents=True, exist_ok=True)
    for name, source, form in (("paper", options.paper, False), ("accomp", options.genre, True)):
        model = Accompanist.from_pretrained(source)
        save_plot(
            model.accompany(task.score, melody_track=task.melody_track, form=form),
            options.out / f"{name}.png",
        )
    song = stage.real(task, corpus).score
    song.tracks[MELODY].notes = task.score.tracks[task.melody_track].notes
    save_plot(song, options.out / "real.png")


if __name__ == "__main__":
    main()
