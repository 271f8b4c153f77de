"""What the networks look at.

photographs   colour photographs and faces that are already on this machine, and any picture of your own
digits        handwritten digits of 8 × 8 pixels, in three parts: to learn from, to choose with, to test on
"""
