"""The Python peers: NumPy on sorted columns, DuckDB, Polars, moocore, pymoo. Called by the Rust program beside it.

Reads the columns and the questions from a folder, prints a list of measurements as JSON. One thread.
"""

import json
import sys
import time
from pathlib import Path

folder = Path(sys.argv[1])
measured = []


def missing(name, error):
    print(f"{name} is left out: {error}", file=sys.stderr)


try:
    import numpy as np
except ImportError as error:
    missing("every Python peer", error)
    print("[]")
    sys.exit()


def measure(engine, query, questions, ask, compare=True):
    start = time.perf_counter()
    answer = float(sum(ask(question) for question in questions))
    once = time.perf_counter() - start
    rounds = int(min(max(1.0 / max(once, 1e-9), 3), 200))
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for question in questions:
            ask(question)
        times.append((time.perf_counter() - start) / len(questions) * 1e9)
    measured.append(
        {
            "engine": engine,
            "query": query,
            "nanoseconds": float(np.median(times)),
            "answer": answer if compare else None,
        }
    )


def column(name):
    return np.fromfile(folder / f"{name}.f64", dtype="<f8")


energy, accuracy, seconds, parameters = map(column, ["energy", "accuracy", "time", "parameters"])
asked = json.loads((folder / "questions.json").read_text())
LAST = asked["boxes"][1:]


def answer(ids):
    return len(ids) + (int(ids[-1]) if len(ids) else 0)


def with_numpy():
    """Rows are in the order of energy, so that a bound on it is a slice."""
    engine = "NumPy, sorted"

    def prefix(most):
        return np.searchsorted(energy, most, side="right")

    for share, boxes in asked["boxes"]:
        measure(engine, f"count in a box of {share}", boxes,
                lambda box: np.count_nonzero(accuracy[: prefix(box[0])] >= box[1]))
    for share, boxes in LAST:
        measure(engine, f"ids in a box of {share}", boxes,
                lambda box: answer(np.flatnonzero(accuracy[: prefix(box[0])] >= box[1])))
    measure(engine, "three-way conjunction of 1 %, ids", asked["three"],
            lambda own: answer(np.flatnonzero((accuracy[: prefix(own[0])] >= own[1])
                                              & (seconds[: prefix(own[0])] >= own[2]))))
    measure(engine, "10 cheapest with accuracy >= a", asked["accuracies"],
            lambda least: energy[np.flatnonzero(accuracy >= least)[:10]].sum())
    measure(engine, "how many rows dominate a point", asked["points"],
            lambda point: np.count_nonzero((accuracy[: prefix(point[0])] >= point[1])
                                           & ((energy[: prefix(point[0])] < point[0])
                                              | (accuracy[: prefix(point[0])] > point[1]))))


def with_duckdb():
    import duckdb

    engine = "DuckDB"
    path = str(folder / "peers.duckdb")
    connection = duckdb.connect(path)
    connection.execute("SET threads = 1")
    frame = {"energy": energy, "accuracy": accuracy, "time": seconds, "parameters": parameters}
    frame["row"] = np.arange(len(energy), dtype=np.uint32)
    connection.execute("CREATE TABLE t AS SELECT * FROM frame")
    connection.execute("CHECKPOINT")
    box = "FROM t WHERE energy <= ? AND accuracy >= ?"

    def one(text, values):
        return connection.execute(text, values).fetchone()[0]

    def ids(text, values):
        return answer(connection.execute(text, values).fetchnumpy()["row"])

    for share, boxes in asked["boxes"]:
        measure(engine, f"count in a box of {share}", boxes, lambda own: one(f"SELECT count(*) {box}", own))
    for share, boxes in LAST:
        measure(engine, f"ids in a box of {share}", boxes, lambda own: ids(f"SELECT row {box} ORDER BY row", own))
    measure(engine, "three-way conjunction of 1 %, ids", asked["three"],
            lambda own: ids(f"SELECT row {box} AND time >= ? ORDER BY row", own))
    measure(engine, "10 cheapest with accuracy >= a", asked["accuracies"],
            lambda least: one("SELECT sum(energy) FROM (SELECT energy FROM t WHERE accuracy >= ? "
                              "ORDER BY energy LIMIT 10)", [least]))
    measure(engine, "is a point dominated", asked["points"],
            lambda p: one(f"SELECT count(*) > 0 {box} AND (energy < ? OR accuracy > ?)", [*p, *p]))
    measure(engine, "how many rows dominate a point", asked["points"],
            lambda p: one(f"SELECT count(*) {box} AND (energy < ? OR accuracy > ?)", [*p, *p]))
    front = """SELECT count(*) FROM (SELECT energy, accuracy, max(accuracy) OVER (ORDER BY energy
        RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE GROUP) AS before,
        max(accuracy) OVER (PARTITION BY energy) AS same FROM t {where})
        WHERE accuracy = same AND (before IS NULL OR accuracy > before)"""
    measure(engine, "front of the view (ecnas: stored)", [None],
            lambda _: one(front.format(where=""), []) * 64)
    measure(engine, "front inside a box of 10 %", asked["boxes"][3][1],
            lambda own: one(front.format(where="WHERE energy <= ? AND accuracy >= ?"), own))
    connection.close()

    def reopened(own):
        with duckdb.connect(path, read_only=True) as connection:
            return connection.execute(f"SELECT count(*) {box}", own).fetchone()[0]

    measure(engine, "open + first count", [asked["boxes"][2][1][0]] * 16, reopened)


def with_polars():
    import polars as pl

    engine = "Polars"
    table = pl.DataFrame({"energy": energy, "accuracy": accuracy, "time": seconds})
    table = table.with_row_index("row")
    e, a = pl.col("energy"), pl.col("accuracy")

    def count(*conditions):
        return table.lazy().filter(*conditions).select(pl.len()).collect().item()

    def ids(*conditions):
        return answer(table.lazy().filter(*conditions).select("row").collect()["row"])

    for share, boxes in asked["boxes"]:
        measure(engine, f"count in a box of {share}", boxes, lambda own: count(e <= own[0], a >= own[1]))
    for share, boxes in LAST:
        measure(engine, f"ids in a box of {share}", boxes, lambda own: ids(e <= own[0], a >= own[1]))
    measure(engine, "three-way conjunction of 1 %, ids", asked["three"],
            lambda own: ids(e <= own[0], a >= own[1], pl.col("time") >= own[2]))
    measure(engine, "10 cheapest with accuracy >= a", asked["accuracies"],
            lambda least: table.lazy().filter(a >= least).select(e.bottom_k(10).sum()).collect().item())


def with_moocore():
    import moocore

    engine = "moocore"
    pairs = np.column_stack([energy, -accuracy])
    triples = np.column_stack([energy, -accuracy, parameters])
    measure(engine, "front over 2 objectives, from nothing", [None],
            lambda _: np.count_nonzero(moocore.is_nondominated(pairs, keep_weakly=True)))
    measure(engine, "front over 3 objectives, from nothing", [None],
            lambda _: np.count_nonzero(moocore.is_nondominated(triples, keep_weakly=True)))
    measure(engine, "layers, from nothing", [None],
            lambda _: (moocore.pareto_rank(pairs).astype(np.int64) - 1).sum())
    front = pairs[moocore.is_nondominated(pairs)]
    reference = pairs.max(axis=0)
    measure(engine, "hypervolume of the front", [None], lambda _: moocore.hypervolume(front, ref=reference))


def with_pymoo():
    from pymoo.indicators.hv import HV
    from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

    engine = "pymoo"
    pairs = np.column_stack([energy, -accuracy])
    # Its sorting compares all pairs: 2,000 rows are what it can do in a second.
    few = pairs[:: max(1, len(pairs) // 2000)]
    measure(engine, f"front over 2 objectives, {len(few)} rows", [None],
            lambda _: len(NonDominatedSorting().do(few, only_non_dominated_front=True)), compare=False)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    best = np.minimum.accumulate(pairs[order, 1])
    front = pairs[order][np.append(True, best[1:] < best[:-1])]
    indicator = HV(ref_point=pairs.max(axis=0))
    measure(engine, "hypervolume of the front", [None], lambda _: indicator(front))


for name, run in [
    ("NumPy", with_numpy),
    ("DuckDB", with_duckdb),
    ("Polars", with_polars),
    ("moocore", with_moocore),
    ("pymoo", with_pymoo),
]:
    try:
        run()
    except ImportError as error:
        missing(name, error)

print(json.dumps(measured))
