"""Things to click, each with a static twin for readers on paper.

explorer       controls above a picture that follows them
progress_bar   a loop that says how far it is
"""

from mi_course.widgets.explorer import Explorer
from mi_course.widgets.progress_bar import progress_bar

__all__ = ["Explorer", "progress_bar"]
