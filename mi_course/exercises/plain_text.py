"""Text from somebody else's file, made harmless: one line of characters that can be seen."""


def plain(text: str, limit: int) -> str:
    """At most ``limit`` characters of the text, in one line, without anything that steers a screen.

    Control characters, terminal escapes, marks that turn the direction of writing and broken Unicode become
    spaces. HTML stays what it is: who shows the text in a page escapes it.
    """
    text = text[: 4 * limit]
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(text.split())[:limit]
