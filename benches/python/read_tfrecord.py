"""Reads an EC-NAS TFRecord file with plain Python: json, base64 and protobuf.

The peer of `cargo bench --bench import`: it does what the released packages do
(minus TensorFlow), and keeps what they keep. Usage:

    pip install -r benches/python/requirements.txt
    python benches/python/read_tfrecord.py FILE [--passes N]

Prints records, bytes, the median of N passes in seconds, MB/s and records/s,
as one line of JSON.
"""

import argparse
import base64
import json
import statistics
import struct
import time

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def message_class():
    """Builds the ModelMetricsEnergy message without protoc."""
    proto = descriptor_pb2.FileDescriptorProto(
        name="metrics.proto", package="peer", syntax="proto2"
    )
    kinds = descriptor_pb2.FieldDescriptorProto

    def message(name, fields):
        made = proto.message_type.add(name=name)
        for number, field, kind in fields:
            repeated = kind.startswith("*")
            kind = kind.lstrip("*")
            added = made.field.add(
                name=field,
                number=number,
                label=kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL,
            )
            if kind in ("double", "int32", "string"):
                added.type = getattr(kinds, "TYPE_" + kind.upper())
            else:
                added.type = kinds.TYPE_MESSAGE
                added.type_name = ".peer." + kind

    doubles = "epoch time train validation test energy co2e intensity".split()
    fields = [(number, name, "double") for number, name in enumerate(doubles, 1)]
    fields += [(9, "start", "string"), (10, "stop", "string")]
    predicted = "pred_energy pred_co2e pred_time pred_intensity".split()
    fields += [(number, name, "double") for number, name in enumerate(predicted, 11)]
    message("Evaluation", fields)
    message("Usage", [(1, "value", "double")])
    message("Device", [(1, "name", "string")])
    message("Devices", [(1, "watts", "*Usage"), (2, "joules", "*Usage"), (3, "names", "*Device")])
    message("Power", [(1, "gpu", "Devices"), (2, "cpu", "Devices")])
    message(
        "Metrics",
        [
            (1, "evaluations", "*Evaluation"),
            (2, "parameters", "int32"),
            (3, "time", "double"),
            (4, "energy", "double"),
            (5, "co2e", "double"),
            (6, "start", "string"),
            (7, "stop", "string"),
            (8, "intensity", "double"),
            (9, "power", "Power"),
        ],
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(proto)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("peer.Metrics"))


def read(path, metrics_class):
    """Returns {hash: {epochs: [values of the last evaluation]}} and the number of records."""
    table, records = {}, 0
    with open(path, "rb") as file:
        while head := file.read(12):
            (length,) = struct.unpack("<Q", head[:8])
            payload = file.read(length)
            file.read(4)
            module, epochs, adjacency, operations, raw = json.loads(payload)
            metrics = metrics_class.FromString(base64.b64decode(raw))
            last = metrics.evaluations[-1]
            values = (
                adjacency,
                operations,
                metrics.parameters,
                last.time,
                last.train,
                last.validation,
                last.test,
                last.energy,
                last.co2e,
            )
            table.setdefault(module, {}).setdefault(epochs, []).append(values)
            records += 1
    return table, records


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--passes", type=int, default=3)
    arguments = parser.parse_args()
    metrics_class = message_class()
    seconds = []
    for _ in range(arguments.passes):
        start = time.perf_counter()
        _, records = read(arguments.file, metrics_class)
        seconds.append(time.perf_counter() - start)
    with open(arguments.file, "rb") as file:
        size = file.seek(0, 2)
    median = statistics.median(seconds)
    print(
        json.dumps(
            {
                "records": records,
                "bytes": size,
                "seconds": round(median, 4),
                "mb_per_s": round(size / 1e6 / median, 2),
                "records_per_s": round(records / median),
            }
        )
    )


if __name__ == "__main__":
    main()
