"""`python -m mi_course`: the same as `mi-course`."""

import sys

from mi_course.cli import main

sys.exit(main())
