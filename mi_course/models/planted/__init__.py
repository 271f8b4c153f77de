"""Transformers whose weights were set by hand, so that every circuit in them is known and methods can be marked.

network           what such a network is: the model, the truth about it, prompts on which the truth is true
induction         two heads copy a phrase that has been said before
indirect_object   four steps find the one who was named once; with a backup, two heads do the same step
"""

from mi_course.models.planted.named_once import indirect_object
from mi_course.models.planted.network import Planted, PlantedPrompts
from mi_course.models.planted.said_before import induction

__all__ = ["Planted", "PlantedPrompts", "indirect_object", "induction"]
