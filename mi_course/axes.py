"""The one spelling of every tensor axis, as it stands in the shapes of public signatures.

>>> print(AXES["query_pos"])
position that attends
"""

AXES = {
    "batch": "examples that do not see each other",
    "pos": "position in the sequence of tokens",
    "query_pos": "position that attends",
    "key_pos": "position that is attended to",
    "layer": "transformer block, counted from 0",
    "head": "attention head within a layer, counted from 0; L5H1 is layer 5, head 1",
    "d_model": "coordinate of the residual stream",
    "d_head": "coordinate inside one head",
    "d_mlp": "neuron of an MLP",
    "d_vocab": "token of the vocabulary",
    "n_ctx": "position that the model can see at all",
    "d_sae": "feature of a sparse autoencoder",
    "component": "one writer to the residual stream: a head, an MLP, the embedding",
    "channel": "feature map of a vision network; of an image: red, green, blue",
    "height": "row of an image or feature map, counted from the top",
    "width": "column of an image or feature map, counted from the left",
    "n_classes": "class that a classifier can name",
}
