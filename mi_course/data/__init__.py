"""What the networks look at.

photographs   colour photographs and faces that are already on this machine, and any picture of your own
"""
