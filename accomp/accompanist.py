"""The Accompanist: five VAEs, four HarmonyNNs and a chord planner of one genre, and the way from melody to band.

Letters: B blocks of a song, H half bars of a block (4), Z and K latent sizes.
Source: "Generating Musical Accompaniment to a given Master Melody using VAEs and CNNs", "Music Generation".
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from huggingface_hub import PyTorchModelHubMixin
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from accomp import arrangement, chords, harmony, pianoroll, tonality
from accomp.config import CONFIG_FILE, WEIGHTS_FILE, AccompanistConfig, ModelError, find_folder
from accomp.errors import MusicError
from accomp.grid import (
    ACCOMPANIMENT,
    BASS,
    BLOCK_HALF_BARS,
    BLOCK_STEPS,
    DRUMS,
    HALF_BAR_STEPS,
    MELODY,
    TRACK_NAMES,
    TRACKS,
    Grid,
)
from accomp.harmony import HarmonyNN
from accomp.melody import choose_melody, melody_name, skyline
from accomp.planner import ChordPlanner
from accomp.score import Chord, Note, Score, Track
from accomp.vae import InstrumentVAE

VELOCITY_POSITIONS = 16  # velocities are learned for each sixteenth of a bar


class Accompanist(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="accomp",
    tags=["music", "midi", "accompaniment", "symbolic-music"],
    license="mit",
):
    """One genre's models. `from_pretrained(source)` loads them, `accompany(melody)` uses them."""

    def __init__(self, config: AccompanistConfig):
        super().__init__()
        self.config = config
        latents = {name: vae.latent for name, vae in config.vaes.items()}
        self.vaes = nn.ModuleDict({name: InstrumentVAE(config.vaes[name]) for name in TRACK_NAMES})
        self.harmony = nn.ModuleDict(
            {
                TRACK_NAMES[track]: HarmonyNN(
                    config.harmony,
                    latents["piano"],
                    latents[TRACK_NAMES[track]],
                    [latents[TRACK_NAMES[other]] for other in harmony.heard_before(track)],
                )
                for track in ACCOMPANIMENT
            }
        )
        self.planner = ChordPlanner(config.planner) if config.planner else None
        self.register_buffer("velocity_mean", torch.full((len(TRACKS), VELOCITY_POSITIONS), 80.0))
        self.register_buffer("velocity_deviation", torch.full((len(TRACKS),), 8.0))
        self.eval()

    # Saving and loading

    @property
    def device(self) -> torch.device:
        return self.velocity_mean.device

    @property
    def genre_index(self) -> int:
        """Of this genre among those that the HarmonyNNs know."""
        known = self.config.harmony.genres
        return known.index(self.config.genre) if self.config.genre in known else 0

    def _save_pretrained(self, save_directory: Path) -> None:
        """config.json and half-precision model.safetensors; each appears whole or not at all."""
        weights = {name: _half(value).cpu().contiguous() for name, value in self.state_dict().items()}
        temporary = save_directory / f".{WEIGHTS_FILE}.part"
        save_file(weights, temporary, metadata={"format": "pt"})
        temporary.chmod(0o644)
        temporary.replace(save_directory / WEIGHTS_FILE)
        (save_directory / CONFIG_FILE).write_text(json.dumps(asdict(self.config), indent=1) + "\n")

    @classmethod
    def from_pretrained(
        cls, source: str | Path, *, revision: str | None = None, device: str | None = None, **hub
    ) -> "Accompanist":
        """The models in a folder, of an embedded genre ("jazz"), or of a Hub repository ("user/accomp-jazz").

        revision: branch, tag or commit of the Hub repository; device: "cpu" or "cuda", by default the GPU where there is
        one; **hub: further arguments of `huggingface_hub.snapshot_download`.
        Raises ModelError where something is missing, superfluous, misshapen or not safetensors.
        """
        folder = find_folder(str(source), revision, hub)
        try:
            config = AccompanistConfig.from_dict(json.loads((folder / CONFIG_FILE).read_text()))
            weights = load_file(folder / WEIGHTS_FILE)
        except FileNotFoundError as error:
            raise ModelError(f"{source}: {Path(error.filename or WEIGHTS_FILE).name} is missing; a model folder holds "
                             f"{CONFIG_FILE} and {WEIGHTS_FILE}") from error  # fmt: skip
        except (json.JSONDecodeError, SafetensorError, TypeError) as error:
            raise ModelError(f"{source}: {error}") from error
        model = cls(config)
        expected = model.state_dict()
        wrong = sorted(expected.keys() ^ weights.keys())
        wrong += [name for name in sorted(expected.keys() & weights.keys()) if expected[name].shape != weights[name].shape]
        if wrong:
            raise ModelError(f"{source}: {len(wrong)} weights are missing, unknown or misshapen, the first is {wrong[0]}")
        model.load_state_dict(weights)
        return model.to(device or ("cuda" if torch.cuda.is_available() else "cpu")).eval()

    # From melody to band

    def accompany(self, score: Score, *, seed: int = 0, variation: float = 0.0, melody_track: int | None = None,
                  ending: bool = True) -> Score:  # fmt: skip
        """The melody of `score` with a band: five tracks in the order of TRACKS, the piano playing the melody's very notes.

        seed: another one gives other music; variation: standard deviation of the noise added to the band's latents, which
        are about of unit scale (Tham & Kim 2021 liked 0.5 to 1.0); melody_track: index of the melody in `score.tracks`, else
        chosen (`melody.choose_melody`); ending: let the band strike and hold a final chord together.
        Raises MusicError where there is no melody or an argument is out of range.
        """
        if not 0 <= variation <= 4:
            raise MusicError(f"variation is {variation}; accepted: 0 to 4")
        if not 0 <= seed < 2**63:
            raise MusicError(f"seed is {seed}; accepted: 0 to 2^63 - 1")
        index = choose_melody(score) if melody_track is None else melody_track
        if not 0 <= index < len(score.tracks):
            raise MusicError(f"melody track {index} does not exist; the file has tracks 0 to {len(score.tracks) - 1}")
        melody = score.tracks[index]
        if melody.is_drum or not melody.notes:
            found = "is a drum track" if melody.is_drum else "has no notes"
            raise MusicError(f"melody track {index} {found}; choose a pitched one")
        notices = list(score.notices)
        if len(score.tracks) > 1:
            notices.append(f"melody: {melody_name(score, index)}{' (as asked)' if melody_track is not None else ''}")
        grid = Grid.of(score, melody.start, melody.end)
        line = skyline(melody.notes)
        shift = tonality.shift_of(line)
        planes = melody_planes(line, shift, grid)
        generator = torch.Generator().manual_seed(seed)
        plan = self.plan(planes)
        end = int(max(grid.nearest_step(melody.end), grid.nearest_step(melody.start) + 1))
        last = arrangement.ending_step(int(grid.nearest_step(line[-1].onset)), end)
        if ending:
            plan[last // HALF_BAR_STEPS :] = _final_chord(int(plan[last // HALF_BAR_STEPS]), line, shift)
        band = self.play(planes, plan, generator, variation, pickup=not grid.present[: BLOCK_STEPS // 2].any())
        band = {track: notes[notes[:, 1] < end] for track, notes in band.items()}
        if ending:
            band = arrangement.end_together(band, plan, last, end)
        random = np.random.default_rng(seed)
        tracks = []
        for track, spec in enumerate(TRACKS):
            if track == MELODY:
                program = self.config.programs.get(spec.name, spec.program)
                tracks.append(Track(spec.name, program, False, list(melody.notes), list(melody.controls)))
                continue
            notes = band[track] if track == DRUMS else arrangement.in_range(band[track], shift, track)
            notes = self._perform(notes, track, grid, melody, random)
            tracks.append(Track(spec.name, self.config.programs.get(spec.name, spec.program), track == DRUMS, notes))
        symbols = _symbols(chords.transpose(plan, shift), grid, melody.end) if self.planner else []
        return Score(tracks, list(score.tempos), list(score.meters), score.resolution, symbols, notices)

    def plan(self, planes: np.ndarray) -> np.ndarray:
        """The chord plan, [4 B] int, of melody planes [2, 32 B, 128]; C throughout where the models know no chords."""
        if self.planner is None:
            return np.zeros(planes.shape[1] // HALF_BAR_STEPS, int)
        return self.planner.plan(planes)

    @torch.no_grad()
    def play(
        self, planes: np.ndarray, plan: np.ndarray, generator: torch.Generator, variation: float = 0.0, pickup: bool = False
    ) -> dict[int, np.ndarray]:
        """What the band plays to melody planes [2, 32 B, 128] under a plan [4 B]: by track, notes [n, 3] in steps. pickup:
        whether the first block only holds what comes before the first whole bar."""
        blocks = torch.from_numpy(pianoroll.to_blocks(planes)).to(self.device)
        by_block = torch.from_numpy(plan.reshape(-1, BLOCK_HALF_BARS)).to(self.device)
        latents = self.choose_latents(blocks, by_block, generator, pickup)
        band = {}
        for track in ACCOMPANIMENT:
            vae, chosen = self.vaes[TRACK_NAMES[track]], latents[track]
            noise = torch.randn(chosen.shape[0], chosen.shape[1] - 1, generator=generator).to(self.device)
            probabilities = vae.decode(chosen[:, :-1] + variation * noise, by_block) * chosen[:, -1:, None, None]
            notes = pianoroll.from_planes(pianoroll.from_blocks(vae.binarise(probabilities).cpu().numpy()))
            if self.config.planner and len(notes) and track != DRUMS:
                notes = arrangement.strike_again(notes, arrangement.LONGEST[track])
                if track == BASS:
                    notes = arrangement.monophonic(notes)
                else:
                    notes = arrangement.thin_out(notes, arrangement.MOST_VOICES[track])
                    notes = arrangement.lead_voices(notes, plan, arrangement.CENTRE[track])
            band[track] = notes
        return band

    @torch.no_grad()
    def choose_latents(self, blocks: Tensor, plan: Tensor, generator: torch.Generator, pickup: bool = False) -> dict[int, Tensor]:
        """By track, the band's latents and flags [B, K + 1] for melody blocks [B, 2, 32, 128] under a plan [B, H]. The first
        networks play at the start, where the band begins anew, and for an instrument that has rested long enough."""
        restart, rest = self.config.restart, self.config.longest_rest
        count = len(blocks)
        melody = self.encode(MELODY, blocks, plan)[:, :-1]
        latents = {t: melody.new_zeros(count, self.config.vaes[TRACK_NAMES[t]].latent + 1) for t in ACCOMPANIMENT}
        source = repeats(blocks, self.config.repeat)
        for block in range(count):
            earlier = int(source[block])
            opening = block == 0 or (restart and (block == int(pickup) or block % restart == 0))
            for track in ACCOMPANIMENT:
                if earlier >= 0:
                    latents[track][block] = latents[track][earlier]
                    continue
                rested = block >= rest and not latents[track][block - rest : block, -1].any()
                is_last = block == count - 1 and block > 0
                step = "last" if is_last else "first" if opening or rested else "middle"
                at, of = torch.tensor([[block], [count]], device=melody.device)
                heard = harmony.heard_at(step, at, of, melody, latents, track, plan, self.genre_index)
                name = TRACK_NAMES[track]
                sampling = self.config.temperature, self.config.top_p, self.config.steadiness.get(name, 0.0)
                latents[track][block] = self.harmony[name].choose(step, heard, generator, *sampling)[0]
        return latents

    @torch.no_grad()
    def encode(self, track: int, blocks: Tensor, plan: Tensor) -> Tensor:
        """Latent means and flags [B, K + 1] of a track's blocks [B, 2, 32, 128] under a plan [B, H]. With the codebook head
        a silent block is zeros with flag 0; with the published regression it is what the VAE makes of silence."""
        mean, _ = self.vaes[TRACK_NAMES[track]].encode(blocks, plan)
        active = blocks.flatten(1).any(1).to(mean.dtype)[:, None]
        if self.config.harmony.head == "regression":
            active = torch.ones_like(active)
        return torch.cat([mean * active, active], dim=1)

    def _perform(self, notes: np.ndarray, track: int, grid: Grid, melody: Track, random: np.random.Generator) -> list[Note]:
        """Notes in beats, cut at the melody's end, with the velocities of the genre's playing at the melody's loudness."""
        notes = arrangement.without_unisons(notes)
        notes = notes[np.lexsort((notes[:, 0], notes[:, 1]))]
        loudness = np.mean([note.velocity for note in melody.notes]) / self.velocity_mean[MELODY].mean().item()
        mean = self.velocity_mean[track].cpu().numpy() * np.clip(loudness, 0.6, 1.25)
        played, end = [], melody.end
        last_beat = grid.beats[grid.nearest_step(end)] - 1e-9  # what sounds to the last step sounds to the melody's very end
        for note in pianoroll.in_beats(notes, grid):
            duration = (end if note.end >= last_beat else note.end) - note.onset
            if duration > 1e-9:
                step = int(np.searchsorted(grid.beats, note.onset + 1e-9) - 1)
                velocity = mean[step % VELOCITY_POSITIONS] + self.velocity_deviation[track].item() * random.standard_normal()
                played.append(note._replace(duration=duration, velocity=int(np.clip(round(velocity), 20, 120))))
        return played


def melody_planes(line: list[Note], shift: int, grid: Grid) -> np.ndarray:
    """What the models see of a monophonic melody: planes [2, S, 128] in its normal key, folded into the melody's range."""
    notes = pianoroll.on_grid(line, grid)
    spec = TRACKS[MELODY]
    notes[:, 0] = tonality.fold(notes[:, 0] - shift, spec.low, spec.high)
    return pianoroll.to_planes(notes, grid.steps)


def repeats(blocks: Tensor, threshold: float) -> np.ndarray:
    """For each melody block [B, 2, 32, 128] the earliest one like it, else -1: the share of their onsets in common is at
    least `threshold`. Blocks of fewer than three notes are like none."""
    onsets = blocks[:, 0].flatten(1).float()
    common, size = onsets @ onsets.T, onsets.sum(1)
    alike = common / (size[:, None] + size[None] - common).clamp(min=1)
    source = np.full(len(blocks), -1)
    for block in range(1, len(blocks)):
        like = torch.nonzero(alike[block, :block] >= threshold)[:, 0].tolist()
        if like and size[block] >= 3:
            source[block] = source[like[0]] if source[like[0]] >= 0 else like[0]
    return source


def _final_chord(planned: int, line: list[Note], shift: int) -> int:
    """The tonic, in the normal key, unless the melody's last note is not in it; then the relative key's; else as planned."""
    last = (line[-1].pitch - shift) % 12
    c_major, a_minor = 0, 21
    tonics = (a_minor, c_major) if tonality.estimate_key(line).is_minor else (c_major, a_minor)
    return next((tonic for tonic in tonics if chords.TRIADS[tonic, last]), planned)


def _symbols(plan: np.ndarray, grid: Grid, end: float) -> list[Chord]:
    symbols: list[Chord] = []
    for half_bar, chord in enumerate(plan):
        first, last = grid.beats[half_bar * HALF_BAR_STEPS], grid.beats[(half_bar + 1) * HALF_BAR_STEPS]
        if first < end - 1e-9 and last > first and (not symbols or symbols[-1].symbol != chords.symbol(chord)):
            symbols.append(Chord(float(first), chords.symbol(chord)))
    return symbols


def _half(value: Tensor) -> Tensor:
    return value.half() if value.is_floating_point() else value
