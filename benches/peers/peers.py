"""The Python peers: reads columns and questions from a folder, writes answers and times to `told.json` in it.

Started by the Rust program. Rows that dominate have less energy and more accuracy; energies are distinct.
"""

import json
import math
import pathlib
import statistics
import sys
import time

try:
    import numpy as np
except ImportError as error:
    told = {"peers": {}, "notes": [f"no Python peers: {error}"]}
    pathlib.Path(sys.argv[1], "told.json").write_text(json.dumps(told))
    sys.exit()

# How long one figure may take, what one sample takes at least, in seconds; as in the Rust program.
LIMIT, SAMPLE = 0.3, 20e-6
WALK = np.ones((384 << 20) // 8)
COLD = 24
# Beyond so many rows, Python peers are not asked for keys.
KEYED = 2_000_000


def mix(numbers):
    """Vigna's splitmix64 of each number, summed."""
    with np.errstate(over="ignore"):
        z = np.asarray(numbers).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
        return {"Rows": {"count": len(z), "mix": int(z.sum(dtype=np.uint64))}}


def places(numbers):
    numbers = np.asarray(numbers).astype(np.uint64)
    return mix((np.arange(len(numbers), dtype=np.uint64) << np.uint64(32)) | numbers)


def number(value):
    return {"Number": int(value)}


def row_or_none(row):
    return {"Number": 0 if row is None else int(row) + 1}


def volume(value):
    return {"Volume": float(value)}


def timed(questions, ask, form, cold=False):
    """The median over passes of the mean over questions; once more with cold caches if wanted."""
    answers = [form(ask(question)) for question in questions]

    def run(times):
        start = time.perf_counter()
        for _ in range(times):
            for question in questions:
                ask(question)
        return time.perf_counter() - start

    once = max(run(1), 1e-9)
    times = int(SAMPLE / once) + 1
    samples = min(int(LIMIT / (once * times)), 401)
    # What takes longer than all samples may has been timed already.
    taken = [run(times) for _ in range(samples)] or [once]
    median = statistics.median(taken) / (times * len(questions))
    outcome = {"median": median, "cold": None, "answers": answers}
    if cold:
        def once(ask, question):
            WALK.sum()
            start = time.perf_counter()
            ask(question)
            return time.perf_counter() - start

        # To call and to read the clock takes long too, when caches are cold.
        clock = statistics.median(once(lambda _: None, None) for _ in range(COLD))
        taken = [once(ask, questions[place % len(questions)]) for place in range(COLD)]
        outcome["cold"] = statistics.median(taken) - clock
    return outcome


class Table:
    def __init__(self, folder, asked):
        def column(name, epochs=None):
            name = name if epochs is None else f"{name}.{epochs}"
            return np.fromfile(folder / f"{name}.f64", dtype="<f8")

        self.folder = folder
        self.asked = asked
        self.names = ["energy_kwh", "validation_accuracy", "test_accuracy", "training_time_s"]
        self.column = column
        self.energy, self.accuracy, _, self.time = (column(name, asked["asked"]) for name in self.names)
        self.parameters = column("trainable_parameters")
        self.rows = len(self.energy)
        self.keyed = self.rows <= KEYED
        if self.keyed:
            read = lambda name: np.fromfile(folder / name, dtype="V16")
            self.keys, self.shuffled, self.absent = read("keys.bin"), read("shuffled.bin"), read("absent.bin")

    def points(self):
        return np.column_stack([self.energy, self.accuracy])

    def costs(self):
        return np.column_stack([self.energy, -self.accuracy])

    def third(self, name):
        return {"Time": self.time, "Parameters": self.parameters}[name]

    def compared(self):
        return np.concatenate([self.shuffled[: self.asked["compared"]], self.absent])

    def chain(self, find):
        """Look-ups of which each depends on the last."""
        none = 0xFFFFFFFF
        found = [find(key.tobytes()) for key in self.compared()]
        answers = [places([none if row is None else row for row in found])]
        keys = [key.tobytes() for key in self.shuffled[:100_000]]
        at = 0

        def steps(count):
            nonlocal at
            start = time.perf_counter()
            for _ in range(count):
                at = (at + 1 + (find(keys[at]) & 7)) % len(keys)
            return (time.perf_counter() - start) / count

        each = steps(50)
        count = min(max(int(0.01 / each), 10), 20_000)
        samples = min(max(int(0.5 / each) // count, 3), 101)
        return {"median": statistics.median(steps(count) for _ in range(samples)), "cold": None, "answers": answers}

    def batches(self, find):
        """`find` gives a row for each key, 2^32 - 1 where there is none."""
        answers = [places(find(self.compared()))]
        size = self.asked["batch"]
        taken = []
        start = time.perf_counter()
        while time.perf_counter() - start < LIMIT:
            place = len(taken) * size % (len(self.shuffled) - size)
            batch = self.shuffled[place : place + size]
            begin = time.perf_counter()
            find(batch)
            taken.append((time.perf_counter() - begin) / size)
        return {"median": statistics.median(taken), "cold": None, "answers": answers}


def box(question):
    return (*question["energy"], *question["accuracy"])


class Order:
    """A column's values in ascending order, with the rows and the ranks of the other column's values in that order."""

    def __init__(self, values, others, distinct):
        self.order = np.argsort(values, kind="stable").astype(np.uint32)
        self.values = values[self.order]
        self.distinct = distinct
        ranks = np.searchsorted(distinct, others[self.order])
        self.ranks = ranks.astype(np.uint16 if len(distinct) < 65536 else np.uint32)
        self.is_row_order = bool((self.order[1:] > self.order[:-1]).all())

    def span(self, least, most):
        return int(self.values.searchsorted(least)), int(self.values.searchsorted(most, "right"))

    def other_span(self, least, most):
        return int(self.distinct.searchsorted(least)), int(self.distinct.searchsorted(most, "right"))

    def mask(self, start, end, least, most):
        """Which places of a stretch hold a rank of the other column in a range: one comparison where that is enough."""
        ranks = self.ranks[start:end]
        kind = self.ranks.dtype.type
        if least == 0 and most == len(self.distinct):
            return np.ones(len(ranks), dtype=bool)
        if most == len(self.distinct):
            return ranks >= kind(least)
        if least == 0:
            return ranks < kind(most)
        return (ranks - kind(least)) < kind(most - least)


class NumPy:
    """Sorted columns, binary search, and a mask of the slice by the ranks of the other column."""

    def __init__(self, table):
        self.table = table
        self.by_energy = Order(table.energy, table.accuracy, np.unique(table.accuracy))
        self.by_accuracy = Order(table.accuracy, table.energy, np.unique(table.energy))
        self.accuracy = table.accuracy[self.by_energy.order]
        self.best = np.maximum.accumulate(self.accuracy)
        # Where the greatest accuracy so far first was reached.
        self.steps = np.flatnonzero(np.concatenate([[True], self.best[1:] > self.best[:-1]]))
        self.step_accuracy = self.best[self.steps]
        self.step_energy = self.by_energy.values[self.steps]
        if table.keyed:
            words = table.keys.view(">u8").reshape(-1, 2).astype(np.uint64)
            self.key_rows = np.argsort(words[:, 0], kind="stable").astype(np.uint32)
            self.first, self.second = words[self.key_rows, 0], words[self.key_rows, 1]

    def find(self, key):
        first, second = int.from_bytes(key[:8], "big"), int.from_bytes(key[8:], "big")
        place = self.first.searchsorted(np.uint64(first))
        if place < len(self.first) and self.first[place] == first and self.second[place] == second:
            return int(self.key_rows[place])
        return None

    def find_all(self, keys):
        words = keys.view(">u8").reshape(-1, 2).astype(np.uint64)
        place = np.minimum(self.first.searchsorted(words[:, 0]), len(self.first) - 1)
        same = (self.first[place] == words[:, 0]) & (self.second[place] == words[:, 1])
        return np.where(same, self.key_rows[place], np.uint32(0xFFFFFFFF))

    def stretch(self, least, most, low, high):
        """The shorter stretch of the two, with its mask."""
        a, b = self.by_energy.span(least, most)
        c, d = self.by_accuracy.span(low, high)
        if b - a <= d - c:
            return self.by_energy, a, b, self.by_energy.mask(a, b, *self.by_energy.other_span(low, high))
        return self.by_accuracy, c, d, self.by_accuracy.mask(c, d, *self.by_accuracy.other_span(least, most))

    def count(self, *bounds):
        return int(np.count_nonzero(self.stretch(*bounds)[3]))

    def ids(self, *bounds):
        order, start, end, mask = self.stretch(*bounds)
        if order.is_row_order:
            return np.flatnonzero(mask) + start
        return order.order[start:end][mask]

    def three(self, question):
        ids = self.ids(*box(question["bounds"]))
        values = self.table.third(question["third"])[ids]
        least, most = question["between"]
        return ids[(values >= least) & (values <= most)]

    def is_dominated(self, point):
        end = int(self.by_energy.values.searchsorted(point[0], "right"))
        if end == 0:
            return False
        best = self.best[end - 1]
        if best != point[1]:
            return bool(best > point[1])
        return bool(self.step_energy[self.step_accuracy.searchsorted(best)] < point[0])

    def dominator_count(self, point):
        x, y = point
        return self.count(-math.inf, x, y, math.inf) - self.count(x, x, y, y)

    def dominators(self, point):
        x, y = point
        ids = self.ids(-math.inf, x, y, math.inf)
        return ids[(self.table.energy[ids] < x) | (self.table.accuracy[ids] > y)]

    def front(self, _=None):
        best = np.maximum.accumulate(self.accuracy)
        return self.by_energy.order[np.concatenate([[True], self.accuracy[1:] > best[:-1]])]

    def front_in(self, question):
        least, most, low, high = box(question)
        start, end = self.by_energy.span(least, most)
        held = np.flatnonzero(self.by_energy.mask(start, end, *self.by_energy.other_span(low, high))) + start
        accuracy = self.accuracy[held]
        best = np.maximum.accumulate(accuracy)
        return self.by_energy.order[held[np.concatenate([[True], accuracy[1:] > best[:-1]])]]

    @staticmethod
    def area(energy, accuracy, reference):
        inside = np.flatnonzero((energy < reference[0]) & (accuracy > reference[1]))
        heights = np.diff(accuracy[inside], prepend=reference[1])
        return float(np.dot(reference[0] - energy[inside], heights))

    def hypervolume(self, reference):
        front = self.front()
        return self.area(self.table.energy[front], self.table.accuracy[front], reference)

    def cheapest(self, accuracy):
        least = self.by_energy.distinct.searchsorted(accuracy)
        end = 1024
        while True:
            found = np.flatnonzero(self.by_energy.ranks[:end] >= least)[:10]
            if len(found) == 10 or end >= self.table.rows:
                return self.by_energy.order[found]
            end *= 8

    def recipe(self, row):
        place = self.step_accuracy.searchsorted(self.table.accuracy[row] - 0.01)
        if place < len(self.steps) and self.step_energy[place] < self.table.energy[row]:
            return int(self.by_energy.order[self.steps[place]])
        return None

    def open_count(self):
        """Sorted columns in files that are mapped."""
        folder = self.table.folder
        np.save(folder / "energy.npy", self.by_energy.values)
        np.save(folder / "accuracy.npy", self.accuracy)

        def ask(question):
            least, most, low, high = box(question)
            energy = np.load(folder / "energy.npy", mmap_mode="r")
            start, end = energy.searchsorted(least), energy.searchsorted(most, "right")
            accuracy = np.load(folder / "accuracy.npy", mmap_mode="r")[start:end]
            return np.count_nonzero((accuracy >= low) & (accuracy <= high))

        return ask

    def build(self):
        start = time.perf_counter()
        for epochs in self.table.asked["budgets"]:
            for name in self.table.names:
                np.argsort(self.table.column(name, epochs))
        np.argsort(self.table.parameters)
        return {"median": time.perf_counter() - start, "cold": None, "answers": []}

    def answer(self, kind, questions, cold):
        match kind:
            case "LookUp" if self.table.keyed:
                return self.table.chain(self.find)
            case "Batch" if self.table.keyed:
                return self.table.batches(self.find_all)
            case "OpenCount":
                return timed(questions, self.open_count(), number)
            case "Count":
                return timed(questions, lambda q: self.count(*box(q)), number, cold)
            case "RowSet" | "Ids":
                return timed(questions, lambda q: self.ids(*box(q)), mix)
            case "Three":
                return timed(questions, self.three, mix)
            case "IsDominated":
                return timed(questions, self.is_dominated, number)
            case "DominatorCount":
                return timed(questions, self.dominator_count, number)
            case "Dominators":
                return timed(questions, self.dominators, mix)
            case "Front" | "FrontComputed":
                return timed([None], self.front, mix)
            case "FrontIn":
                return timed(questions, self.front_in, mix)
            case "Hypervolume":
                return timed(questions, self.hypervolume, volume)
            case "HypervolumeOfFront":
                front = self.front()
                columns = self.table.energy[front], self.table.accuracy[front]
                return timed(questions, lambda q: self.area(*columns, q), volume)
            case "Cheapest":
                return timed(questions, self.cheapest, mix)
            case "Recipe":
                return timed(questions, self.recipe, row_or_none)
            case "Build":
                return self.build()


class DuckDB:
    """A table in memory, one thread; parameters are bound, as the Python API does."""

    BOX = "energy between $1 and $2 and accuracy between $3 and $4"
    DOMINATES = "energy <= $1 and accuracy >= $2 and (energy < $1 or accuracy > $2)"

    def __init__(self, table):
        import duckdb

        self.duckdb = duckdb
        self.table = table
        self.path = str(table.folder / "peer.duckdb")
        self.con = self.fill(":memory:")
        self.fill(self.path).close()

    def fill(self, where):
        con = self.duckdb.connect(where)
        con.execute("set threads = 1")
        table = self.table
        columns = {
            "id": np.arange(table.rows, dtype=np.uint32),
            "energy": table.energy,
            "accuracy": table.accuracy,
            "time": table.time,
            "parameters": table.parameters,
        }
        con.execute("create table cells as select * from columns")
        if table.keyed:
            # The hash as an unsigned number of 128 bits, which DuckDB compares at once.
            words = table.keys.view(">u8").reshape(-1, 2).astype(np.uint64)
            keys = {"id": columns["id"], "high": words[:, 0].copy(), "low": words[:, 1].copy()}
            con.execute("create table keys as select id, high::uhugeint << 64 | low::uhugeint as hash from keys")
            con.execute("create unique index by_hash on keys (hash)")
        return con

    def first(self, sql):
        def ask(*values):
            row = self.con.execute(sql, values).fetchone()
            return None if row is None else row[0]

        return ask

    def ids(self, sql):
        return lambda *values: self.con.execute(sql, values).fetchnumpy()["id"]

    def find_all(self, keys):
        words = keys.view(">u8").reshape(-1, 2).astype(np.uint64)
        asked = {"place": np.arange(len(keys)), "high": words[:, 0].copy(), "low": words[:, 1].copy()}
        found = self.con.execute(
            "select place, id from asked join keys on hash = high::uhugeint << 64 | low::uhugeint"
        ).fetchnumpy()
        rows = np.full(len(keys), 0xFFFFFFFF, dtype=np.uint32)
        rows[found["place"]] = found["id"]
        return rows

    def opened(self, sql, values):
        con = self.duckdb.connect(self.path, read_only=True)
        try:
            row = con.execute(sql, values).fetchone()
            return None if row is None else row[0]
        finally:
            con.close()

    def answer(self, kind, questions, cold):
        count = f"select count(*) from cells where {self.BOX}"
        within = f"select id from cells where {self.BOX}"
        front = (
            "select id from (select id, accuracy, max(accuracy) over (order by energy rows between unbounded preceding"
            " and 1 preceding) as best from cells where {}) where best is null or accuracy > best"
        )
        find = "select id from keys where hash = $1::uhugeint << 64 | $2::uhugeint"
        key = lambda own: [int.from_bytes(own[:8], "big"), int.from_bytes(own[8:], "big")]
        match kind:
            case "LookUp" if self.table.keyed:
                ask = self.first(find)
                return self.table.chain(lambda own: ask(*key(own)))
            case "Batch" if self.table.keyed:
                return self.table.batches(self.find_all)
            case "OpenLookUp" if self.table.keyed:
                keys = [key(own.tobytes()) for own in self.table.shuffled[:64]]
                return timed(keys, lambda own: self.opened(find, own), row_or_none)
            case "OpenCount":
                return timed(questions, lambda q: self.opened(count, list(box(q))), number)
            case "Count":
                ask = self.first(count)
                return timed(questions, lambda q: ask(*box(q)), number, cold)
            case "RowSet" | "Ids":
                ask = self.ids(within)
                return timed(questions, lambda q: ask(*box(q)), mix)
            case "Three":
                asks = {
                    third: self.ids(f"{within} and {third.lower()} between $5 and $6")
                    for third in {question["third"] for question in questions}
                }
                return timed(questions, lambda q: asks[q["third"]](*box(q["bounds"]), *q["between"]), mix)
            case "IsDominated":
                ask = self.first(f"select exists (select 1 from cells where {self.DOMINATES})")
                return timed(questions, lambda q: ask(*q), number)
            case "DominatorCount":
                ask = self.first(f"select count(*) from cells where {self.DOMINATES}")
                return timed(questions, lambda q: ask(*q), number)
            case "Dominators":
                ask = self.ids(f"select id from cells where {self.DOMINATES}")
                return timed(questions, lambda q: ask(*q), mix)
            case "Front" | "FrontComputed":
                ask = self.ids(front.format("true"))
                return timed([None], lambda _: ask(), mix)
            case "FrontIn":
                ask = self.ids(front.format(self.BOX))
                return timed(questions, lambda q: ask(*box(q)), mix)
            case "Cheapest":
                ask = self.ids("select id from cells where accuracy >= $1 order by energy, id limit 10")
                return timed(questions, ask, mix)
            case "Recipe":
                ask = self.first(
                    "select id from cells where energy < $1 and accuracy >= $2 - 0.01::double order by energy limit 1"
                )
                energy, accuracy = self.table.energy.tolist(), self.table.accuracy.tolist()
                return timed(questions, lambda row: ask(energy[row], accuracy[row]), row_or_none)


class Polars:
    """A data frame in memory, one thread, lazy queries."""

    def __init__(self, table):
        import polars as pl

        self.pl = pl
        self.table = table
        columns = {
            "id": np.arange(table.rows, dtype=np.uint32),
            "energy": table.energy,
            "accuracy": table.accuracy,
            "time": table.time,
            "parameters": table.parameters,
        }
        self.frame = pl.DataFrame(columns)
        if bool((table.energy[1:] >= table.energy[:-1]).all()):
            self.frame = self.frame.with_columns(pl.col("energy").set_sorted())
        self.lazy = self.frame.lazy()
        self.path = table.folder / "peer.arrow"
        self.frame.write_ipc(self.path)
        if table.keyed:
            self.keys = pl.DataFrame({"hash": [key.tobytes() for key in table.keys], "row": columns["id"]})

    def within(self, least, most, low, high):
        col = self.pl.col
        return col("energy").is_between(least, most) & col("accuracy").is_between(low, high)

    def dominates(self, x, y):
        energy, accuracy = self.pl.col("energy"), self.pl.col("accuracy")
        return (energy <= x) & (accuracy >= y) & ((energy < x) | (accuracy > y))

    def count(self, condition, lazy=None):
        lazy = self.lazy if lazy is None else lazy
        return lazy.filter(condition).select(self.pl.len()).collect().item()

    def ids(self, condition):
        return self.lazy.filter(condition).select("id").collect()["id"].to_numpy()

    def front(self, condition):
        accuracy = self.pl.col("accuracy")
        held = self.lazy if condition is None else self.lazy.filter(condition)
        best = accuracy.cum_max().shift(1, fill_value=-math.inf)
        return held.sort("energy").filter(accuracy > best).select("id").collect()["id"].to_numpy()

    def find(self, key):
        found = self.keys.filter(self.pl.col("hash") == key)["row"]
        return found[0] if len(found) else None

    def find_all(self, keys):
        asked = self.pl.DataFrame({"hash": [key.tobytes() for key in keys]})
        found = asked.join(self.keys, on="hash", how="left", maintain_order="left")["row"]
        return found.fill_null(0xFFFFFFFF).to_numpy()

    def cheapest(self, accuracy):
        held = self.lazy.filter(self.pl.col("accuracy") >= accuracy)
        return held.bottom_k(10, by=["energy", "id"]).select("id").collect()["id"].to_numpy()

    def recipe(self, row):
        col = self.pl.col
        good = (col("energy") < self.table.energy[row]) & (col("accuracy") >= self.table.accuracy[row] - 0.01)
        found = self.lazy.filter(good).bottom_k(1, by="energy").select("id").collect()["id"]
        return found[0] if len(found) else None

    def answer(self, kind, questions, cold):
        match kind:
            case "LookUp" if self.table.keyed:
                return self.table.chain(self.find)
            case "Batch" if self.table.keyed:
                return self.table.batches(self.find_all)
            case "OpenCount":
                opened = lambda q: self.count(self.within(*box(q)), self.pl.scan_ipc(self.path))
                return timed(questions, opened, number)
            case "Count":
                return timed(questions, lambda q: self.count(self.within(*box(q))), number, cold)
            case "RowSet" | "Ids":
                return timed(questions, lambda q: self.ids(self.within(*box(q))), mix)
            case "Three":
                condition = lambda q: self.within(*box(q["bounds"])) & self.pl.col(q["third"].lower()).is_between(*q["between"])
                return timed(questions, lambda q: self.ids(condition(q)), mix)
            case "IsDominated":
                return timed(questions, lambda q: self.lazy.select(self.dominates(*q).any()).collect().item(), number)
            case "DominatorCount":
                return timed(questions, lambda q: self.count(self.dominates(*q)), number)
            case "Dominators":
                return timed(questions, lambda q: self.ids(self.dominates(*q)), mix)
            case "Front" | "FrontComputed":
                return timed([None], self.front, mix)
            case "FrontIn":
                return timed(questions, lambda q: self.front(self.within(*box(q))), mix)
            case "Cheapest":
                return timed(questions, self.cheapest, mix)
            case "Recipe":
                return timed(questions, self.recipe, row_or_none)


class Moocore:
    def __init__(self, table):
        import moocore

        self.moocore = moocore
        self.table = table
        self.points = table.points()
        self.costs = table.costs()

    def front(self, points, directions):
        return np.flatnonzero(self.moocore.is_nondominated(points, maximise=directions, keep_weakly=True))

    def answer(self, kind, questions, cold):
        two = [False, True]
        match kind:
            case "Front" | "FrontComputed":
                return timed([None], lambda _: self.front(self.points, two), mix)
            case "FrontIn":

                def front_in(question):
                    least, most, low, high = box(question)
                    energy, accuracy = self.table.energy, self.table.accuracy
                    held = (energy >= least) & (energy <= most) & (accuracy >= low) & (accuracy <= high)
                    ids = np.flatnonzero(held)
                    return ids[self.front(self.points[ids], two)]

                return timed(questions, front_in, mix)
            case "Front3":
                three = np.column_stack([self.points, self.table.parameters])
                return timed([None], lambda _: self.front(three, [False, True, False]), mix)
            case "Layers":
                # Versions differ in where they begin to count.
                first = self.moocore.pareto_rank(self.costs).min()
                return timed([None], lambda _: self.moocore.pareto_rank(self.costs), lambda ranks: places(ranks - first))
            case "Hypervolume" | "HypervolumeOfFront":
                given = self.costs
                if kind == "HypervolumeOfFront":
                    given = given[self.front(self.points, two)].copy()
                ask = lambda q: self.moocore.hypervolume(given, ref=[q[0], -q[1]])
                return timed(questions, ask, volume)


class Pymoo:
    def __init__(self, table):
        from pymoo.indicators.hv import HV
        from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

        self.table = table
        self.hv = HV
        self.sorting = NonDominatedSorting()
        self.costs = table.costs()

    def front(self, costs):
        return self.sorting.do(costs, only_non_dominated_front=True)

    def layers(self, _):
        ranks = np.empty(self.table.rows, dtype=np.uint32)
        for rank, front in enumerate(self.sorting.do(self.costs)):
            ranks[front] = rank
        return ranks

    def answer(self, kind, questions, cold):
        match kind:
            case "Front" | "FrontComputed":
                return timed([None], lambda _: self.front(self.costs), mix)
            case "FrontIn":

                def front_in(question):
                    least, most, low, high = box(question)
                    energy, accuracy = self.table.energy, self.table.accuracy
                    held = (energy >= least) & (energy <= most) & (accuracy >= low) & (accuracy <= high)
                    ids = np.flatnonzero(held)
                    return ids[self.front(self.costs[ids])]

                return timed(questions, front_in, mix)
            case "Front3":
                three = np.column_stack([self.costs, self.table.parameters])
                return timed([None], lambda _: self.front(three), mix)
            case "Layers":
                return timed([None], self.layers, places)
            case "Hypervolume" | "HypervolumeOfFront":
                given = self.costs
                if kind == "HypervolumeOfFront":
                    given = given[self.front(given)].copy()
                ask = lambda q: self.hv(ref_point=np.array([q[0], -q[1]]))(given)
                return timed(questions, ask, volume)


def main():
    folder = pathlib.Path(sys.argv[1])
    asked = json.loads((folder / "cases.json").read_text())
    table = Table(folder, asked)
    told, notes = {}, []
    if not table.keyed:
        notes.append(f"Python peers are not asked for keys beyond {KEYED:,} rows")
    for name, make in [("NumPy", NumPy), ("DuckDB", DuckDB), ("Polars", Polars), ("moocore", Moocore), ("pymoo", Pymoo)]:
        if name in asked["without"]:
            continue
        start = time.perf_counter()
        try:
            peer = make(table)
        except ImportError as error:
            notes.append(f"{name} is missing: {error}")
            continue
        notes.append(f"{name}: {time.perf_counter() - start:.1f} s to build from columns in memory")
        outcomes = {}
        for place, case in enumerate(asked["cases"]):
            outcome = peer.answer(case["kind"], case.get("questions"), case["cold"])
            if outcome is not None:
                outcomes[place] = outcome
        told[name] = outcomes
        print(f"{name}: {time.perf_counter() - start:.1f} s", file=sys.stderr)
    (folder / "told.json").write_text(json.dumps({"peers": told, "notes": notes}))


main()
