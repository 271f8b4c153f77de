"""The tests mirror mi_course/; `python3 -m mi_course.start test` runs all of them."""
