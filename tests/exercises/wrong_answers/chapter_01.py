"""Typical wrong answers to the exercises of chapter 01, and words that their diagnosis must hold."""

import math

import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from mi_course.methods import filters


def _stretched(weight):
    low, high = weight.amin((1, 2, 3), keepdim=True), weight.amax((1, 2, 3), keepdim=True)
    return (weight - low) / (high - low)


def _map_without_relu(image, weight, bias, stride):
    return torch.nn.functional.conv2d(image[None], weight[None], stride=stride)[0, 0] + bias


def _map_without_bias(image, weight, bias, stride):
    return _map_without_relu(image, weight, 0.0, stride).relu()


def _map_without_stride(image, weight, bias, stride):
    return _map_without_relu(image, weight, bias, 1).relu()


def _map_with_late_bias(image, weight, bias, stride):
    return _map_without_relu(image, weight, 0.0, stride).relu() + bias


def _map_of_the_turned_filter(image, weight, bias, stride):
    return _map_without_relu(image, weight.flip(1, 2), bias, stride).relu()


def _direction_of_change(weight):
    return (float(filters.orientation(weight[None])[0][0]) + 90) % 180


def _mirrored(weight):
    return (180 - float(filters.orientation(weight[None])[0][0])) % 180


def _mean_of_angles(weight):
    f_y, f_x = filters.frequencies()
    energy = filters.spectrum(weight[None])[0]
    angle = torch.rad2deg(torch.atan2(-f_y, f_x)) % 180
    return float((energy * angle).sum() / energy.sum() + 90) % 180


def _sum_of_kernels(layers):
    return 1 + sum(kernel - 1 for kernel, _ in layers)


def _stride_too_early(layers):
    side, step = 1, 1
    for kernel, stride in layers:
        step *= stride
        side += (kernel - 1) * step
    return side


def _score_on_training(train, train_labels, test, test_labels):
    probe = LogisticRegression(C=100.0).fit(train.numpy(), train_labels.numpy())
    return probe.score(train.numpy(), train_labels.numpy())


def _bent_probe(train, train_labels, test, test_labels):
    probe = KNeighborsClassifier().fit(train.numpy(), train_labels.numpy())
    return probe.score(test.numpy(), test_labels.numpy())


WRONG = {
    "01.conv_parameters": [
        (lambda i, o, k, groups=1: o * i // groups * k * k, "one bias"),
        (lambda i, o, k, groups=1: o * i * k * k + o, "2 groups"),
        (lambda i, o, k, groups=1: o * (i // groups) * k + o, "11 × 11"),
        (lambda i, o, k: o * i * k * k + o, "argument"),
    ],
    "01.normalize_filter": [
        (_stretched, "zero is another grey"),
        (lambda weight: 0.5 + 0.5 * weight / weight.abs().max(), "weak filters"),
        (lambda weight: 0.5 + 0.5 * weight / weight.abs().amax((2, 3), keepdim=True), "hue"),
        (lambda weight: weight, "weights themselves"),
        (lambda weight: weight / weight.abs().amax((1, 2, 3), keepdim=True), "from 0 to 1"),
    ],
    "01.orientation": [
        (_direction_of_change, "run across it"),
        (_mirrored, "mirror image"),
        (_mean_of_angles, "cannot simply be averaged"),
        (lambda weight: math.radians(float(filters.orientation(weight[None])[0][0])), "radians"),
    ],
    "01.feature_map": [
        (_map_without_relu, "right up to the ReLU"),
        (_map_without_bias, "bias is missing"),
        (_map_without_stride, "jump by 2"),
        (_map_with_late_bias, "after the ReLU"),
        (_map_of_the_turned_filter, "upside down"),
    ],
    "01.receptive_field": [
        (_sum_of_kernels, "2 pixels apart"),
        (_stride_too_early, "*next* layer"),
    ],
    "01.probe_accuracy": [
        (_score_on_training, "pure noise"),
        (_bent_probe, "can bend"),
        (lambda train, train_labels, test, test_labels: 0.5, "at least 0.9"),
    ],
}
