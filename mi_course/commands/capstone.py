"""Make new sealed models for chapter 15, with an answer key for the instructor."""

from pathlib import Path


def add_arguments(parser) -> None:
    parser.add_argument(
        "--seed", type=int, required=True, help="any number; the same one makes the same cases"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where to put them (capstone-SEED if not given)"
    )


def run(options) -> int:
    from mi_course.errors import CourseError
    from mi_course.methods.sealed.case import make_set
    from mi_course.methods.sealed.envelope import seal
    from mi_course.models.pretrained import load
    from mi_course.whole_file import write_whole

    folder = options.out or Path(f"capstone-{options.seed}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CourseError(f"{folder} is there already and is not empty. Choose another place with --out.")
    try:
        (folder / "cases").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(
            f"{folder} cannot be written ({error.strerror}). Choose another place with --out."
        ) from None
    print("Planting one mechanism in each of three models; this takes a minute or two.", flush=True)
    cases = make_set(load("tiny-world"), options.seed, report=lambda line: print(line, flush=True))
    for letter, case in cases.items():
        seal(case, folder / "cases" / letter)
    write_whole(folder / "answer-key.md", answer_key(cases, options.seed).encode())
    print(f"✅ Give your learners {folder / 'cases'}, and keep {folder / 'answer-key.md'} for yourself.")
    print(
        f'   In chapter 15 they write:  sealed = sealed_cases.open_cases("{(folder / "cases").as_posix()}")'
    )
    return 0


def answer_key(cases: dict, seed: int) -> str:
    """What is planted in each case, and how well it works, as a page for the instructor."""
    lines = [
        f"# Answer key, seed {seed}",
        "",
        f"Made by `mi-course capstone --seed {seed}`. The models are in `cases/`, with their answers under seal, so "
        "that `mc.exercise` can check without this page.",
    ]
    for letter, case in cases.items():
        lines += ["", f"## Case {letter}: {case.kind}", ""]
        lines += [f"- {name}: **{value}**" for name, value in case.answer.items()]
        lines += ["", "Measured before the model was sealed (shares from 0 to 1, losses in nats a word):", ""]
        lines += [f"- {name}: {value:.3f}" for name, value in case.measures.items()]
    return "\n".join(lines) + "\n"
