"""Tokens that break pages and figures which do not take care."""

ODD = (
    "<script>alert(1)</script>",
    "</style>",
    "",
    " ",
    "\n",
    "\t",
    "$x$",
    "$",
    "\u202e",
    "\x07",
    "😀",
    "漢",
    "\ud83d",
    " Mary",
    "a\"b'c&amp;",
    "{}",
)
