"""What the networks look at.

photographs   colour photographs and faces that are already on this machine, and any picture of your own
gratings      stripes, corners and curves with known parameters; tiles and patches are pieces of the photographs
scrambled     faces and their opponents: the same pictures in blocks, with shifted waves, upside down
digits        handwritten digits of 8 × 8 pixels, in three parts: to learn from, to choose with, to test on
tiny_world    a grammar that writes texts, says why each word stands there, and knows every probability exactly
indirect_object, facts, labelled_text   questions about its texts: who gets it, what is true, what is behind a word
prompt_pairs  clean and corrupted prompts, aligned token by token
repeated_tokens, three_rules            texts in which something comes back, for induction
sparse_features                         features that are off most of the time, and vectors made of them
"""
