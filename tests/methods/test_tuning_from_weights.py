"""Predictions from weights alone against what the network does."""

import torch

from mi_course.methods import excitation, tuning_curves, tuning_from_weights
from mi_course.models.alexnet import AlexNet, initialize
from tests.methods.striped_network import CONFIG, FREQUENCY, striped


def test_amplitude_is_half_the_swing_of_the_response_as_the_grating_moves():
    from mi_course.data.gratings import grating

    weight = torch.randn(3, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    pictures = torch.stack([2 * grating(35, 0.17, phase=p, side=9) - 1 for p in range(0, 360, 2)])
    responses = torch.einsum("fchw,bchw->bf", weight, pictures)
    swing = (responses.amax(0) - responses.amin(0)) / 2
    assert torch.allclose(tuning_from_weights.amplitude(weight, 35, 0.17), swing, rtol=1e-3)


def test_the_first_layer_is_predicted_as_it_answers_in_its_best_phase():
    model = initialize(AlexNet(CONFIG), seed=3).eval()
    predicted = tuning_from_weights.first_layer(model, orientations=(0, 60), frequencies=(0.1, 0.2))
    from mi_course.data.gratings import gratings

    pictures = gratings((0, 60), (0.1, 0.2), n_phases=90, side=32)
    answers = tuning_curves.middle_responses(model, "conv1", pictures.flatten(0, 2)).view(2, 2, 90, 8)
    assert torch.allclose(predicted.responses, answers.amax(2).permute(2, 0, 1), rtol=2e-3, atol=1e-4)


def test_a_colour_is_predicted_by_the_same_rule():
    model = initialize(AlexNet(CONFIG), seed=3).eval()
    options = {"orientations": (0, 90), "frequencies": (FREQUENCY,), "colour": "red-green"}
    predicted = tuning_from_weights.first_layer(model, **options)
    measured = tuning_curves.measure(model, "conv1", n_phases=64, side=32, **options)
    assert predicted.colour == "red-green"
    assert (predicted.responses >= measured.responses - 1e-5).all(), (
        "the best phase is no worse than the mean"
    )


def test_a_unit_of_the_second_layer_adds_up_what_its_inputs_do():
    model = striped()
    inputs = tuning_from_weights.first_layer(model)
    predicted = tuning_from_weights.second_layer(model, inputs)
    by_hand = inputs.responses[0] - inputs.responses[1]
    assert torch.allclose(predicted.responses[0], by_hand.relu(), atol=1e-5)
    unrectified = tuning_from_weights.second_layer(model, inputs, relu=False)
    assert torch.allclose(unrectified.responses[0], by_hand, atol=1e-5)
    assert (predicted.layer, unrectified.layer) == ("conv2", "conv2.pre")


def test_the_prediction_is_right_for_a_summing_unit_and_blind_for_an_arranged_one():
    model = striped()
    inputs = tuning_from_weights.first_layer(model)
    predicted = tuning_from_weights.second_layer(model, inputs)
    measured = tuning_curves.measure(model, "conv2", side=32)
    assert tuning_curves.correlation(predicted.responses, measured.responses)[0] > 0.95
    assert predicted.responses[2].abs().max() < 1e-4
    assert measured.responses[2].max() > 0.01


def test_other_weights_make_a_control():
    model = striped()
    inputs = tuning_from_weights.first_layer(model)
    flipped = tuning_from_weights.second_layer(model, inputs, weights=-excitation.net(model))
    assert torch.allclose(flipped.responses[0], (inputs.responses[1] - inputs.responses[0]).relu(), atol=1e-5)
    assert (
        flipped.responses[0].argmax() != tuning_from_weights.second_layer(model, inputs).responses[0].argmax()
    )


def test_nothing_in_the_model_changes():
    model = striped()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    tuning_from_weights.second_layer(model, tuning_from_weights.first_layer(model))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
