"""One file a command of `mi-course`, and what the commands stand on.

lab         lay a working copy of the chapters (working_copy) and open JupyterLab on it
build       make chapters from solutions (solution_blocks), execute solutions (stored_run), mark slides (slide_types)
doctor      what is here, what is missing, and the remedy
progress    where the learner stands
models      which models are here; fetch a public one (download)
capstone    new sealed models for a workshop, with a key for the instructor
slides      solved chapters as slides (slide_deck) that need no network
links       what depends on the address of the repository: badge, Colab, hub, pip
"""
