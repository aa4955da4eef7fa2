"""Push genres, the demo or the prepared blocks to the Hugging Face Hub.

    python -m train push --genre jazz --namespace NAME    a genre's models, to NAME/accomp-jazz
    python -m train push --all --namespace NAME           the models of every genre
    python -m train push --space NAME/accomp              the demo, a Space with NAME's models
    python -m train push --dataset NAME/accomp-blocks --corpus CORPUS
                                        the prepared blocks of songs with a free licence

Each push is one commit. Files that are unchanged are not uploaded again. All checks are made before
anything is uploaded. A token that may write comes from `hf auth login` or HF_TOKEN.
"""

import argparse
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

from accomp.band.accompanist import Accompanist
from accomp.models import hub
from accomp.models.files import CONFIG_FILE
from accomp.models.genre_files import MODELS
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
    """Push what the command line asks for. Raises Refused, whose message says why."""
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
        "--dry-run", action="store_true", help="print what would be uploaded, and upload nothing"
    )
    parser.add_argument(
        "--models",
        type=Path,
        default=MODELS,
        help="folder with one folder a genre (default: models)",
    )
    parser.add_argument(
        "--cards",
        type=Path,
        default=cards.CARDS,
        help="folder with the cards (default: model_cards)",
    )
    parser.add_argument(
        "--corpus", type=Path, help="for --dataset: folder that `train prepare` wrote"
    )
    parser.add_argument(
        "--licences",
        default=FREE,
        metavar="REGEX",
        help="for --dataset: licences of the songs to take (default: free ones)",
    )
    parser.add_argument(
        "--no-sound",
        action="store_true",
        help="make the samples without sound (needs no FluidSynth)",
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="accomp-push-") as folder:
        push(options, Path(folder))


def push(options: argparse.Namespace, folder: Path) -> None:
    """Stage what the options ask for in `folder`, check all of it, then publish it.

    Raises Refused if anything speaks against it.
    """
    api, tag = HfApi(), None if options.space else options.revision
    owner = owner_of(options)
    try:
        check_account(api, owner)
    except Refused as problem:
        if not options.dry_run:
            raise
        print(f"a push would be refused: {problem}")
    plans = [
        (publication, plan_push(api, publication, tag, options))
        for publication in stage(options, owner, folder, api)
    ]
    for publication, changes in plans:
        size = sum(path.stat().st_size for path in publication.files.values()) / 1e6
        print(f"{publication.repo_id} ({publication.kind}, {size:.1f} MB): {changes}")
        if options.dry_run:
            print_changes(publication, changes)
        else:
            upload(api, publication, changes, options.private, tag)
    is_models = not options.space and not options.dataset
    if is_models and not options.dry_run and not has_space(api, owner):
        print(
            f"The cards say how to install the library from {owner}/{hub.LIBRARY}, which isn't "
            f"there yet: python -m train push --space {owner}/{hub.LIBRARY}"
        )


def plan_push(
    api: HfApi, publication: Publication, tag: str | None, options: argparse.Namespace
) -> Changes:
    """Compare a publication with the Hub, and check that it may go there.

    In a dry run an unreachable Hub counts as an empty one.

    Args:
        api: The Hub's client.
        publication: What is to be uploaded.
        tag: For the commit; None for none.
        options: Of the command line: `private` and `dry_run`.

    Raises:
        Refused: It may not.
    """
    try:
        changes = compare(api, publication)
        keep_renderings(api, publication, changes)
        check_card(publication)
        if options.private:
            check_private(api, publication)
        if tag:
            check_tag(api, publication, tag)
        return changes
    except Exception as error:  # whatever the network does
        reason = hub.first_line(error)
        if not options.dry_run:
            raise Refused(f"{publication.repo_id}: {reason}; nothing was uploaded") from error
        print(f"{publication.repo_id} could not be compared with the Hub: {reason}")
        return Changes(sorted(publication.files), [], [], [])


def print_changes(publication: Publication, changes: Changes) -> None:
    """Print each file that would be uploaded or deleted."""
    for path in changes.new + changes.changed:
        print(f"  would upload {path} ({publication.files[path].stat().st_size:,} bytes)")
    for path in changes.deleted:
        print(f"  would delete {path}")


def upload(
    api: HfApi, publication: Publication, changes: Changes, private: bool, tag: str | None
) -> None:
    """Publish one repository and print its commit.

    Args:
        api: The Hub's client.
        publication: What is uploaded.
        changes: Of `plan_push`.
        private: Whether a new repository is private.
        tag: For the commit; None for none.

    Raises:
        SystemExit: It is interrupted.
    """
    try:
        commit = publish(api, publication, changes, private, tag)
    except Exception as error:  # whatever the network does
        raise SystemExit(
            f"{publication.repo_id}: interrupted ({hub.first_line(error)}). Run the same again to "
            "go on: what has arrived is not uploaded twice"
        ) from error
    done = f"pushed as {commit[:7]}" if changes else "is there already, nothing was uploaded"
    print(f"  {publication.url}: {done}{f', tag {tag}' if tag else ''}")


def has_space(api: HfApi, owner: str) -> bool:
    """Tell whether the owner has the demo on the Hub; True if that can't be found out."""
    try:
        return api.repo_exists(f"{owner}/{hub.LIBRARY}", repo_type="space")
    except Exception:  # only a hint depends on it
        return True


def owner_of(options: argparse.Namespace) -> str:
    """Read the owner of the repositories off the options. Raises Refused if there is none."""
    target = options.space or options.dataset
    if target:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", target):
            raise Refused(f"{target!r} is not a Hub id; accepted: NAME/REPOSITORY")
        return target.split("/")[0]
    if not re.fullmatch(r"[\w.-]+", options.namespace or ""):
        raise Refused(
            f"--namespace is {options.namespace!r}; accepted: the name of a user or organisation "
            "on the Hub"
        )
    return options.namespace


def check_name(genre: str, owner: str) -> None:
    """Raise Refused if the Hub does not accept the name of a genre's repository."""
    try:
        validate_repo_id(hub.repository(genre, owner))
    except HFValidationError as error:
        raise Refused(
            f"the Hub accepts no repository named {hub.repository(genre, owner)!r}: {error}"
        ) from error


def stage(
    options: argparse.Namespace, owner: str, folder: Path, api: HfApi
) -> Iterator[Publication]:
    """Stage each publication that the options ask for, in a folder of its own.

    Args:
        options: Of the command line.
        owner: User or organisation that owns the repositories.
        folder: An empty folder.
        api: Client that lists the owner's models, for the demo.

    Yields:
        The staged publications. All models are checked before the first is staged.

    Raises:
        Refused: A model, its card or an option is missing or wrong.
    """
    if options.space:
        yield stage_space(options.space, options.namespace or owner, options.revision, folder, api)
    elif options.dataset:
        yield stage_dataset(options, folder)
    else:
        for model in _checked_models(options, owner):
            yield stage_model(
                model, owner, options.cards, folder / model.config.genre, not options.no_sound
            )


def stage_dataset(options: argparse.Namespace, folder: Path) -> Publication:
    """Stage the prepared blocks of a corpus. Raises Refused without a corpus."""
    from train.data import dataset  # here, since only this needs the library `datasets`

    if not options.corpus:
        raise Refused("--dataset needs --corpus: a folder that python -m train prepare wrote")
    dataset.export(Corpus.load(options.corpus), folder, options.licences)
    return Publication(
        options.dataset,
        "dataset",
        folder,
        "README.md",
        lambda text: bool(re.search(r"train[. ]prepare", text)),  # older cards have the dot
    )


def _checked_models(options: argparse.Namespace, owner: str) -> list[Accompanist]:
    known = sorted(path.parent.name for path in options.models.glob(f"*/{CONFIG_FILE}"))
    models = []
    for genre in known if options.all else options.genre:
        if genre not in known:
            raise Refused(
                f"genre {genre!r} is unknown; {options.models} holds {', '.join(known) or 'none'}"
            )
        check_name(genre, owner)
        models.append(check_model(options.models / genre, genre, options.cards))
    return models


if __name__ == "__main__":
    main()
