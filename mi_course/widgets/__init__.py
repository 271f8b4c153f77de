"""Things to click, each with a static twin for readers on paper. An explorer is imported from its own file.

explorer              controls above a picture that follows them: the base of all explorers
attention_viewer      hover a token, choose a head: who looks at whom
logit_lens_table      hover a cell: what each layer would say next
next_token_explorer   the next token's probabilities, sampled one by one
patching_map          click a cell: what the model says when just this is patched
circuit_pruner        a slider over circuits from small to large, with what each keeps of the answer
training_scrubber     a slider over stored checkpoints
superposition_explorer  make features rarer and watch them move together
feature_browser       leaf through a dictionary of features: what excites each, what it promotes, what it tells
feature_studio        what any unit wants to see: watch its image grow, stop it
filter_explorer       a first-layer filter on a photograph
tuning_explorer       a second-layer unit: who drives it, which stripes it likes, and what cutting changes
steering_playground   turn a knob inside the model, read what it writes with and without
edit_playground       give a fact another answer, see what else changes, take it back
live_training         curves of a training that grow while it runs
card_sort             cards into piles, and where somebody else would have put them
glass_box_explorer    digits through a glass box and a black box
progress_bar          a loop that says how far it is
"""

from mi_course.widgets.explorer import Explorer
from mi_course.widgets.progress_bar import progress_bar

__all__ = ["Explorer", "progress_bar"]
