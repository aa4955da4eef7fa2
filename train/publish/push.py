"""Genres, the demo and the blocks to the Hugging Face Hub.

    python -m train push --genre jazz --namespace NAME      the models of a genre, to NAME/accomp-jazz
    python -m train push --all --namespace NAME             those of every genre
    python -m train push --space NAME/accomp                the demo, as a Space that takes its models from NAME's repositories
    python -m train push --dataset NAME/accomp-blocks --corpus CORPUS      the prepared blocks of songs with a free licence

Each becomes one commit. What is there already is left as it is; whatever speaks against it is said before anything is
uploaded. A token that may write comes from `hf auth login` or HF_TOKEN.
"""

import argparse
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

from accomp.models import hub
from accomp.models.config import CONFIG_FILE
from train.data.corpus import Corpus
from train.data.licences import FREE
from train.publish import cards
from train.publish.hub_commit import (
    Changes,
    Publication,
    Refused,
    check_account,
    check_card,
    check_private,
    check_tag,
    compare,
    keep_renderings,
    publish,
)
from train.publish.staging import check_model, stage_model, stage_space


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="train push", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--genre", action="append", help="a genre's models; can be given several times"
    )
    what.add_argument("--all", action="store_true", help="the models of every genre in --models")
    what.add_argument("--space", metavar="NAME/accomp", help="the demo")
    what.add_argument("--dataset", metavar="NAME/accomp-blocks", help="the blocks of --corpus")
    parser.add_argument(
        "--namespace",
        help="user or organisation that owns the models (with --space: its own by default)",
    )
    parser.add_argument("--private", action="store_true", help="make new repositories private")
    parser.add_argument(
        "--revision",
        metavar="TAG",
        help="tag the commit; with --space: the tag of the models that it serves",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be uploaded, and upload nothing"
    )
    parser.add_argument(
        "--models",
        type=Path,
        default=hub.MODELS,
        help="folder with a folder for each genre (default: models)",
    )
    parser.add_argument(
        "--cards",
        type=Path,
        default=cards.CARDS,
        help="folder with the cards (default: model_cards)",
    )
    parser.add_argument(
        "--corpus", type=Path, help="for --dataset: folder that train.data.prepare wrote"
    )
    parser.add_argument(
        "--licences",
        default=FREE,
        metavar="REGEX",
        help="for --dataset: of the songs to take (default: free)",
    )
    parser.add_argument(
        "--no-sound",
        action="store_true",
        help="samples without sound, where there is no FluidSynth",
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="accomp-push-") as folder:
        push(options, Path(folder))


def push(options: argparse.Namespace, folder: Path) -> None:
    """Stage what the options ask for in `folder`, check all of it, then publish it. Raises Refused."""
    api, tag = HfApi(), None if options.space else options.revision
    owner = owner_of(options)
    try:
        check_account(api, owner)
    except Refused as problem:
        if not options.dry_run:
            raise
        print(f"a push would be refused: {problem}")
    plans = []
    for publication in stage(options, owner, folder, api):
        try:
            changes = compare(api, publication)
            keep_renderings(api, publication, changes)
            check_card(publication)
            if options.private:
                check_private(api, publication)
            if tag:
                check_tag(api, publication, tag)
            plans.append((publication, changes))
        except Exception as error:  # whatever the network does
            if not options.dry_run:
                raise Refused(
                    f"{publication.repo_id}: {hub.first_line(error)}; nothing was uploaded"
                ) from error
            print(
                f"{publication.repo_id} could not be compared with the Hub: {hub.first_line(error)}"
            )
            plans.append((publication, Changes(sorted(publication.files), [], [], [])))
    for publication, changes in plans:
        size = sum(path.stat().st_size for path in publication.files.values()) / 1e6
        print(f"{publication.repo_id} ({publication.kind}, {size:.1f} MB): {changes}")
        if options.dry_run:
            for path in changes.new + changes.changed:
                print(f"  would upload {path} ({publication.files[path].stat().st_size:,} bytes)")
            for path in changes.deleted:
                print(f"  would delete {path}")
            continue
        try:
            commit = publish(api, publication, changes, options.private, tag)
        except Exception as error:
            raise SystemExit(
                f"{publication.repo_id}: interrupted ({hub.first_line(error)}). Run the same again to go on: what "
                "has arrived is not uploaded twice"
            ) from error
        done = f"pushed as {commit[:7]}" if changes else "is there already, nothing was uploaded"
        print(f"  {publication.url}: {done}{f', tag {tag}' if tag else ''}")
    if (
        not options.dry_run
        and not options.space
        and not options.dataset
        and not has_space(api, owner)
    ):
        print(
            f"The cards say how to install the library from {owner}/{hub.LIBRARY}, which isn't there yet: "
            f"python -m train push --space {owner}/{hub.LIBRARY}"
        )


def has_space(api: HfApi, owner: str) -> bool:
    try:
        return api.repo_exists(f"{owner}/{hub.LIBRARY}", repo_type="space")
    except Exception:  # it was but a hint
        return True


def owner_of(options: argparse.Namespace) -> str:
    """Whom the repositories belong to. Raises Refused where that is not said or can't be."""
    target = options.space or options.dataset
    if target:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", target):
            raise Refused(f"{target!r} is no Hub id; accepted: NAME/REPOSITORY")
        return target.split("/")[0]
    if not re.fullmatch(r"[\w.-]+", options.namespace or ""):
        raise Refused(
            f"--namespace is {options.namespace!r}; accepted: the name of a user or organisation on the Hub"
        )
    return options.namespace


def check_name(genre: str, owner: str) -> None:
    """Raise Refused where the Hub would not take the name of a genre's repository."""
    try:
        validate_repo_id(hub.repository(genre, owner))
    except HFValidationError as error:
        raise Refused(
            f"the Hub takes no repository named {hub.repository(genre, owner)!r}: {error}"
        ) from error


def stage(
    options: argparse.Namespace, owner: str, folder: Path, api: HfApi
) -> Iterator[Publication]:
    """The publications that the options ask for, each staged in a folder of its own. Raises Refused."""
    if options.space:
        yield stage_space(options.space, options.namespace or owner, options.revision, folder, api)
        return
    if options.dataset:
        from train.data import dataset

        if not options.corpus:
            raise Refused("--dataset needs --corpus: a folder that train.data.prepare wrote")
        dataset.export(Corpus.load(options.corpus), folder, options.licences)
        yield Publication(
            options.dataset,
            "dataset",
            folder,
            "README.md",
            lambda text: "train.data.prepare" in text,
        )
        return
    known = sorted(path.parent.name for path in options.models.glob(f"*/{CONFIG_FILE}"))
    models = []
    for genre in known if options.all else options.genre:
        if genre not in known:
            raise Refused(
                f"genre {genre!r} is unknown; {options.models} holds {', '.join(known) or 'none'}"
            )
        check_name(genre, owner)
        models.append(check_model(options.models / genre, genre, options.cards))
    for model in models:
        yield stage_model(
            model, owner, options.cards, folder / model.config.genre, not options.no_sound
        )


if __name__ == "__main__":
    main()
