"""Typical wrong answers, one file a chapter: `WRONG = {id: [(answer, words of the diagnosis), …]}`."""
