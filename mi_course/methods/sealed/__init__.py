"""Sealed models: a mechanism is planted in a network, hidden, and waits to be found.

trigger        wires a word into a head: after it, gifts go to their giver
damaged_head   makes a head blind, mute, or inverted
disguise       the same network in other weights, so that comparing weights shows nothing
symptoms       a check-up: what a model of the tiny world can do
case           draws and plants one mechanism of each kind, and measures that it can be found
envelope       a case in a folder, with what is in it under seal
"""
