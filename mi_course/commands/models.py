"""List the models that the course knows, or fetch a public one."""

WIDTH = 26  # of the column of names
UNHASHED = "no sha256 of it was published where we could read it: names and shapes are checked, nothing else"


def add_arguments(parser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    fetch = actions.add_parser("fetch", help="download a public model and check it")
    fetch.add_argument("name", metavar="NAME")


def run(options) -> int:
    if options.action == "fetch":
        return fetch(options.name)
    print(listing())
    return 0


def listing() -> str:
    """Every model: shipped or public, its size, its licence, and whether it is on this machine."""
    from mi_course.models import pretrained

    lines = ["Shipped with the course:"]
    for name in pretrained.shipped():
        card, path = pretrained.card(name), pretrained.path_of(name)
        megabytes = sum(file.stat().st_size for file in path.parent.iterdir()) / 1e6
        size = (
            f"{megabytes:.1f} MB, here"
            if path.is_file()
            else "its weights are missing; see: mi-course doctor"
        )
        lines += _entry(name, size, card["about"], f"licence: {card['licence'].removeprefix('weights: ')}")
    lines += ["", "Public, fetched only when you ask:"]
    for name, model in pretrained.PUBLIC.items():
        path = pretrained.path_of(name)
        where = f"here: {path}" if path else f"not here; get it:  mi-course models fetch {name}"
        unhashed = () if model.sha256_prefix else (UNHASHED,)
        size = f"{model.megabytes} MB, {where}"
        lines += _entry(name, size, model.about, f"licence: {model.licence}", *unhashed)
    return "\n".join(lines)


def _entry(name: str, size: str, *facts: str) -> list[str]:
    return [f"  {name:<{WIDTH}} {size}", *(f"  {'':<{WIDTH}} {fact}" for fact in facts)]


def fetch(name: str) -> int:
    """Download a public model into the learner's folder, unless a right copy is on this machine."""
    from mi_course.commands.download import download, progress_line
    from mi_course.errors import CourseError, UnknownName
    from mi_course.file_lock import one_at_a_time
    from mi_course.folders import models_folder
    from mi_course.models import pretrained

    if name in pretrained.shipped():
        print(f"{name} ships with the course: nothing to fetch.")
        return 0
    if name not in pretrained.PUBLIC:
        raise UnknownName("public model", name, pretrained.PUBLIC)
    model = pretrained.PUBLIC[name]
    target = models_folder() / model.file
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = target.with_name(target.name + ".lock")
        with one_at_a_time(lock, lambda: print("Another fetch of it is at work; waiting …", flush=True)):
            path = _right_copy(model)
            if path is None:
                print(f"{model.about}: {model.megabytes} MB from {model.url}", flush=True)
                print(f"licence: {model.licence}", flush=True)
                if not model.sha256_prefix:
                    print(UNHASHED, flush=True)
                for small in model.beside:
                    download(small.url, target.with_name(small.name), small.sha256, lambda *_: None)
                if not _is_right(target, model):
                    if target.exists():
                        print(f"⚠️ {target} is not the published file. Fetching it again.", flush=True)
                    download(model.url, target, model.sha256_prefix, progress_line())
                path = target
    except OSError as error:
        raise CourseError(
            f"{target.parent} cannot be written ({error.strerror}). Choose another place with the "
            "environment variable MI_COURSE_HOME."
        ) from None
    print(f"✅ {name} is here: {path}")
    return 0


def _right_copy(model):
    """Where the model's file is, if it and all beside it are here and it is the published one; else None."""
    from mi_course.models import pretrained

    path = pretrained.path_of(model.name)
    return path if path is not None and _is_right(path, model) else None


def _is_right(path, model) -> bool:
    """Whether the file is there and is the published one."""
    from mi_course.errors import DamagedWeights
    from mi_course.models import pretrained

    try:
        pretrained.verify(path, model.sha256_prefix)
    except DamagedWeights:
        return False
    return True
