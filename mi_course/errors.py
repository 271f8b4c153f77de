"""Errors that say what was wrong and what to do next."""


class CourseError(Exception):
    """Base of every error that the course raises on purpose; its text is written for the learner."""


class ModelNotHere(CourseError):
    """A public model is not on this machine; the text says its size, its source and how to fetch it."""


class DamagedWeights(CourseError):
    """A weight file is not, byte for byte, the file that its card describes."""


class UnreadableImage(CourseError):
    """A file cannot be read as a picture; the text says which file and why."""


class UnknownName(CourseError):
    """A name (of a hook, a model, an exercise) does not exist; the text offers the nearest ones."""

    def __init__(self, kind: str, name: str, known):
        import difflib

        known = sorted(map(str, known))
        near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
        if near:
            remedy = "Did you mean " + " or ".join(repr(n) for n in near) + "?"
        else:
            remedy = "Known: " + ", ".join(known[:20]) + (", …" if len(known) > 20 else "") + "."
        super().__init__(f"There is no {kind} named {name!r}. {remedy}")
