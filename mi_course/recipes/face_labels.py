"""Validation photographs of Tiny ImageNet in which a human face can be seen, and others of the same classes in
which not.

The numbers are those in the files' names (``val_1166.JPEG``). Labelled for this course by eye, on enlarged
pictures: a face counts if its features can be made out and it takes up about a quarter of the picture's height or
more. Photographs with a smaller, turned away or half-hidden face are left out, so that neither side holds doubtful
cases. Classes in which people are common, though no class is about faces.
"""

SETS = {
    "A": {
        "bow tie": (
            (1166, 1178, 1542, 2090, 3322, 3529, 4017, 4504),
            (1365, 1561, 2316, 2530, 3417, 4063, 4239),
        ),
        "academic gown": (
            (540, 3551, 4338, 4715, 4724, 4779, 5042),
            (536, 1389, 1701, 2526, 2665, 3891, 4355, 4545, 5643),
        ),
        "neck brace": (
            (20, 345, 1077, 1247, 2110, 2473, 3162, 3505, 4124),
            (1340, 1864, 2546, 2566, 3125),
        ),
        "sunglasses": (
            (1440, 1624, 2349, 2587, 2666, 3622, 3939, 3976, 4193, 4226, 4271, 4511, 4535),
            (283, 333, 452, 2661, 2841, 3226, 4478),
        ),
    },
    "B": {
        "military uniform": ((19, 4817, 4907, 5693, 5796), (447, 457, 3825)),
        "kimono": ((2820, 3718, 5093, 5496), (1388, 2383, 3181, 3442, 4136)),
        "cardigan": (
            (2357, 3915, 4755),
            (
                1153,
                2018,
                2291,
                2374,
                2635,
                3244,
                3841,
                3988,
                4157,
                4425,
                4506,
                4573,
                5470,
                5508,
                5611,
                5702,
                5743,
            ),
        ),
        "sombrero": (
            (193, 1332, 1387, 2278, 2343, 2593, 2810, 3453, 3576, 3824, 4164, 4679, 4716, 5069, 5202),
            (1896, 2323, 2905, 5218, 5247),
        ),
    },
}
"""For each set and class: the photographs with a face, and those without."""
