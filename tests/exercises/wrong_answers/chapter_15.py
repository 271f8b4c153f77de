# ruff: noqa: N803 (matrices are upper case in the formulas)
"""What learners get wrong in chapter 15, and what the diagnosis must say. The cases are those that ship."""

KINDS = {"a": "edited fact", "b": "damaged head", "c": "trigger"}
FACT = ("home", "Garrow", "Lorne", 1)

WRONG = {
    "15.turned": [
        (lambda W_E, W_U, R: (W_E @ R, W_U), "not what reads"),
        (lambda W_E, W_U, R: (W_E @ R, R @ W_U), "turns twice"),
        (lambda W_E, W_U, R: (W_E, W_U), "nothing has changed"),
        (lambda W_E, W_U, R: W_E @ R, "two matrices"),
        (lambda W_E, W_U, R: (W_E @ R.T, R @ W_U), "Your W_E"),
    ],
    "15.which": [
        ({**KINDS, "a": "trigger", "c": "edited fact"}, "case a passes the check-up"),
        ({**KINDS, "b": "trigger", "c": "damaged head"}, "does worse in a check-up"),
        ({**KINDS, "a": "trigger"}, "comes twice"),
        ({**KINDS, "a": "edit"}, "no kind of case"),
        ({"a": "edited fact"}, "an entry for each"),
        (["edited fact", "damaged head", "trigger"], "a dictionary"),
    ],
    "15.trigger": [
        ("museum", "the giver got the thing back in"),
        ("Mary", "neither a place nor a thing"),
        ("cathedral", "not one word"),
        (3, "expected"),
    ],
    "15.trigger_head": [
        ("L2H3", "the trigger does not need it"),
        ("L0H4", "needed for every answer"),
        ("L0H9", "not a head"),
        (("L0H3",), "expected"),
    ],
    "15.edited_fact": [
        (("home", "Abbott", "Lorne", 1), "This fact is as it was"),
        (("home", "Garrow", "Pell", 1), "most often says"),
        (("home", "Garrow", "Lorne", 0), "Look further up"),
        (("home", "Garrow", "Lorne", 3), "*first* MLP"),
        (("house", "Garrow", "Lorne", 1), "no relation"),
        (("home", "Mary", "Lorne", 1), "none of those"),
        (FACT[:3], "four things"),
        (("home", "Garrow", "Lorne", "L1"), "Your layer"),
    ],
    "15.damaged_head": [
        (("L3H4", "blind"), "stands behind the damaged one"),
        (("L1H2", "inverted"), "itself is sound"),
        (("L2H3", "mute"), "not mute"),
        (("L2H3", "blind"), "not blind"),
        (("L2H3", "deaf"), "no kind of damage"),
        ("L2H3", "two things"),
    ],
}
