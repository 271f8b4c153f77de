"""Exercises that fail softly: checks that say what is wrong, hints, predictions, progress.

    exercise       what one exercise is made of
    registry       finds an exercise by its id, in the file of its chapter
    check          `mc.exercise`: run the check, show the result, hand back something that works
    attempt        the learner's function as a check sees it: every mishap becomes a diagnosis
    expect         the comparisons that checks are written with
    hint           `mc.hint`: one hint at a time
    prediction     `mc.predict`, `mc.reveal`: commit before you look
    chapter        `mc.begin`: the first cell of a notebook
    journal        the one append-only file that remembers all of it
    progress       `mc.progress`: what the journal adds up to
    sharing        the learner's side of a classroom: who has joined one shares each result
    classroom      the instructor's side: per exercise, how many solved it, tried it, are stuck
    classroom_view the same in a notebook, up to date by itself
    sealed_cases   which sealed models the exercises of chapter 15 are about
    chapter_NN     the exercises of one chapter

Below those: `time_limit` and `captured_output` keep the notebook alive, `snapshot` notices changed
inputs, `slips` knows typical mistakes, `examples` makes inputs to try answers on, `describe` puts values into
words, `plain_text` makes text of others harmless, `card` shows a result.
"""
