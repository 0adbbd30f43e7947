"""`run.py pose`: pictures, folders, videos and webcams in; 2D and 3D poses out, drawn, as files."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from stitched.inputs import Source, expand_inputs
from stitched.options import MachineOptions, PoseOptions
from stitched.outputs import OverlayNames, Report, check_folder
from stitched.person_finder import Predictor
from stitched.profile import Clock
from stitched.results import (
    POSES,
    Results,
    drawn_before,
    earlier_rows,
    in_order,
    part_path,
    remove_parts,
    split_done,
    without_drawings,
)
from stitched.sharing import Processes
from utils.atomic import check_not_source
from utils.errors import UserError
from utils.option_checks import refuse_given
from utils.pose_file import Poses, concatenate

if TYPE_CHECKING:
    from stitched.job import Job

# What loads torch is imported inside the functions that need it: a mistake in the command is told
# at once.

LoadPredictor = Callable[[str, str, MachineOptions, Sequence[float]], Predictor]
"""--load, --mode, the machine and --scales -> the network."""
_FILES_TOLD = 4


def load_predictor(
    load: str, mode: str, machine: MachineOptions, scales: Sequence[float] = (1.0,)
) -> Predictor:
    """The trained network that finds the joints. Raises UserError if it is not there."""
    from stacked_hourglass.multi_scale import MultiScale
    from stacked_hourglass.predictor import PREFERRED, best_shipped
    from stacked_hourglass.predictor import Predictor as Hourglass
    from utils.weights import shipped_names

    if mode != "best" and mode not in shipped_names():
        others = ", ".join(name for name in PREFERRED if name in shipped_names()) or "none"
        raise UserError(f"--mode {mode}: these weights do not ship; there are: {others}")
    name = load or (best_shipped() if mode == "best" else mode)
    if machine.backend == "onnx":
        from stacked_hourglass.onnx_backend import load_onnx_predictor

        network = load_onnx_predictor(name)
    else:
        network = Hourglass.load(name, machine.accelerator, machine.precision)
    return network if tuple(scales) == (1.0,) else MultiScale(network, scales)


def run(options: PoseOptions, load: LoadPredictor = load_predictor) -> int:
    """Find people in pictures and frames; write pose files and drawings.

    Returns the exit code: 0, 1 if an input failed (it is named on stderr), 130 after Ctrl-C. What
    was looked at is written in every case. Raises UserError if nothing could be looked at, or
    written.
    """
    clock = Clock()
    sources, errors = _find_sources(options)
    folder = Path(options.output_dir)
    _check_outputs(options)
    todo, earlier = _left_to_do(options, sources)
    processes = Processes(options.machine)
    report = Report(processes.share(todo), errors if processes.is_first else [])
    path = folder / POSES if processes.count == 1 else part_path(folder, processes.rank)
    results = Results(path, earlier if processes.is_first else None)
    is_whole = True
    if options.files.skip_done and processes.is_first:
        report.note(f"{len(sources) - len(todo)} of {len(sources)} inputs were done already")
    if todo:
        # Also where this process has nothing to do: all meet the same errors, or none.
        with clock("start"), processes.one_report():
            from stitched.backends import settle_backend
            from stitched.job import make_job

            films = any(source.kind != "picture" for source in sources)
            machine = settle_backend(options.machine, films, options.load)
            options = replace(options, machine=machine)
            predictor = load(options.load, options.mode, machine, options.who.scales)
            names = OverlayNames(folder, drawn_before(earlier, sources))
            job = make_job(options, predictor, names, report, clock, results)
        is_whole = _look_at_all(job, report.sources)
    if not is_whole and not results and processes.count == 1:
        raise KeyboardInterrupt
    failures = _finish(options, processes, sources, results, report, clock)
    if processes.is_first:
        remove_parts(folder)
    return int(failures > 0) if is_whole else 130


def _check_outputs(options: PoseOptions) -> None:
    """Raises UserError where files cannot be written, or would be written over what is read."""
    folder = Path(options.output_dir)
    check_folder(folder)
    if options.who.boxes:
        for kind in options.files.exports:
            check_not_source(folder / f"poses.{kind}", options.who.boxes)


def _find_sources(options: PoseOptions) -> tuple[list[Source], list[UserError]]:
    """What the options name, and what of it cannot be used. Raises UserError if that is all, or for
    options of films where there is none."""
    sources, errors = expand_inputs(options.inputs)
    if not sources:
        Report(sources, errors).finish(rows=0)
    kinds = {source.kind for source in sources}
    if kinds == {"picture"}:
        refuse_given(options.video, ("start", "end", "fps", "smooth"), "with pictures alone")
        refuse_given(options.who, ("flip_video",), "with pictures alone")
    if kinds == {"webcam"}:
        refuse_given(options.video, ("start",), "with a webcam alone")
    if "webcam" not in kinds:
        refuse_given(options.video, ("window",), "without a webcam")
    return without_drawings(sources, Path(options.output_dir)), errors


def _left_to_do(
    options: PoseOptions, sources: Sequence[Source]
) -> tuple[Sequence[Source], Poses | None]:
    """The sources to look at, and rows of an earlier run that stay, if any."""
    earlier = earlier_rows(Path(options.output_dir)) if options.files.skip_done else None
    if earlier is None:
        return sources, None
    return split_done(sources, earlier, options.video)


def _look_at_all(job: "Job", sources: Sequence[Source]) -> bool:
    """Look at the sources in their order; what fails is reported. -> False if Ctrl-C ended it."""
    from stitched.pictures import look_at_pictures

    try:
        for are_pictures, group in groupby(sources, key=lambda source: source.kind == "picture"):
            if are_pictures:
                look_at_pictures(job, list(group))
                continue
            for source in group:
                _look_at_moving(job, source)
    except KeyboardInterrupt:
        return False
    return True


def _look_at_moving(job: "Job", source: Source) -> None:
    # Pictures need nothing of what it loads, which takes a second.
    from stitched.videos import look_at_video

    begin = time.perf_counter()
    try:
        job.finder.check(source)
        look_at_video(job, source)
    except UserError as error:
        job.report.fail(error)
    finally:
        job.report.done(source, time.perf_counter() - begin)


def _finish(
    options: PoseOptions,
    processes: Processes,
    sources: Sequence[Source],
    results: Results,
    report: Report,
    clock: Clock,
) -> int:
    """Bring together what all processes have found; the first writes it. -> number of failures."""
    parts = processes.gather(results.poses())
    looked = processes.add_up(report.looked)
    failures = processes.add_up(len(report.errors))
    if not processes.is_first:
        return failures
    before = len(report.errors)
    if parts:
        with clock("files"):
            _write(options, in_order(concatenate(parts), sources), report)
    report.finish(sum(map(len, parts)))
    unit = "picture or frame" if looked == 1 else "pictures and frames"
    print(f"{looked} {unit} in {clock.whole:.1f} s, {looked / clock.whole:.1f} a second")
    if options.machine.profile:
        print(clock.table(looked))
    return failures + len(report.errors) - before


def _write(options: PoseOptions, poses: Poses, report: Report) -> None:
    from utils.exporters import EXPORTERS

    folder = Path(options.output_dir)
    written: list[str] = []
    for name in options.files.exports:
        try:
            paths = EXPORTERS[name](folder, poses)
        except UserError as error:
            report.fail(error)
            continue
        if not paths:
            report.note(f"no {name} file: nobody was found")
        written += [path.name for path in paths]
    if len(written) > _FILES_TOLD:
        written[_FILES_TOLD:] = [f"{len(written) - _FILES_TOLD} more"]
    written += ["the drawings"] if options.files.overlay else []
    if written:
        told = ", ".join(written[:-1]) + " and " if len(written) > 1 else ""
        print(f"{told}{written[-1]} are in {folder}")
