"""Computes the expected values of tests/pareto_real.rs with moocore, from the released files, read by plain Python.

    pip install -r tests/python/requirements.txt
    python tests/python/fronts.py FOLDER_WITH_EC_NAS_FILES

Means over the repeats of each cell; energy, time and parameters are minimised, accuracies maximised (negated here). The
reference of a hypervolume is the worst value of any cell in each objective.
"""

import sys
from pathlib import Path

import moocore
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "benches/python"))
import read_tfrecord  # noqa: E402

folder = Path(sys.argv[1])
metrics = read_tfrecord.message_class()
# (column of the values that are read, sign)
ENERGY, VALIDATION, PARAMETERS, TIME, TEST = (7, 1), (5, -1), (2, 1), (3, 1), (6, -1)

for name in ["energy_4V9E_4epochs", "energy_5V9E_4epochs"]:
    table, _ = read_tfrecord.read(folder / f"{name}.tfrecord", metrics)
    for epochs in sorted({epochs for budgets in table.values() for epochs in budgets}):
        for objectives in [
            [ENERGY, VALIDATION],
            [ENERGY, TEST],
            [ENERGY, VALIDATION, PARAMETERS],
            [ENERGY, VALIDATION, PARAMETERS, TIME],
            [ENERGY, VALIDATION, PARAMETERS, TIME, TEST],
        ]:
            points = np.array(
                [
                    [sign * np.mean([trial[place] for trial in budgets[epochs]]) for place, sign in objectives]
                    for budgets in table.values()
                    if epochs in budgets
                ]
            )
            ranks = moocore.pareto_rank(points)
            front = points[moocore.is_nondominated(points, keep_weakly=True)]
            reference = points.max(axis=0)
            volume = moocore.hypervolume(front, ref=reference)
            share = volume / np.prod(reference - front.min(axis=0))
            names = "".join("EVPTX"[[ENERGY, VALIDATION, PARAMETERS, TIME, TEST].index(o)] for o in objectives)
            print(
                f'    ("{name}", {epochs}, "{names}", {len(points)}, {len(front)}, '
                f"{int(ranks.max()) + 1 - int(ranks.min())}, {float(volume)!r}, {float(share)!r}),"
            )
