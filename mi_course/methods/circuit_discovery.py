"""Let a program find the circuit: ACDC, edge attribution patching (EAP), and EAP with integrated gradients.

    circuit_discovery.acdc(model, clean, corrupted, threshold=0.05)             tries every edge
    circuit_discovery.eap(model, clean, corrupted, metric, n_edges=60)          estimates all edges from one gradient
    circuit_discovery.eap_ig(model, clean, corrupted, metric, n_edges=60)       from the mean of several

All three search the same `edge_graph` and return a `Circuit`. `acdc_search` also counts the runs; `eap_scores` and
`eap_ig_scores` give a number for every edge. None of them says that the circuit found is the only one, nor what it
computes: test it (`faithfulness`), and compare with a known one where there is one (`circuit_agreement`).
"""

from mi_course.methods.acdc import Search, acdc, acdc_search
from mi_course.methods.circuit_agreement import area, rates, roc, sweep_roc
from mi_course.methods.edge_attribution import EdgeScores, eap, eap_ig, eap_ig_scores, eap_scores

__all__ = [
    "EdgeScores",
    "Search",
    "acdc",
    "acdc_search",
    "area",
    "eap",
    "eap_ig",
    "eap_ig_scores",
    "eap_scores",
    "rates",
    "roc",
    "sweep_roc",
]
