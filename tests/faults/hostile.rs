//! Files that are made to exhaust whoever reads them.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::kit::{self, report};
use crate::place::{Place, tables};

/// 512 MB of addresses, of which threads and what they reserve take a part; and of memory that is written to, 64 MiB and
/// twice the longest record that is accepted, 1 MiB.
const LIMITS: [&str; 2] = ["-v 524288", "-d 67584"];

fn masked(bytes: &[u8]) -> [u8; 4] {
    let crc = crc32c::crc32c(bytes);
    crc.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// A length and its checksum, as a record begins.
fn head(length: u64) -> Vec<u8> {
    let length = length.to_le_bytes();
    [&length[..], &masked(&length)].concat()
}

fn record(payload: &[u8]) -> Vec<u8> {
    [&head(payload.len() as u64), payload, &masked(payload)].concat()
}

/// A record of a real cell, whose metrics are these bytes.
fn trial(metrics: &[u8]) -> Vec<u8> {
    let metrics = STANDARD.encode(metrics);
    let text = format!(
        "[\"5529e1779433733d1145e20de5d8604e\", 4, \"0110001100010000\", \
         \"input,conv1x1-bn-relu,conv3x3-bn-relu,output\", \"{metrics}\\n\"]"
    );
    record(text.as_bytes())
}

const RUN: &str = "3V9E/4_epochs/b4/b49ac8c578b4561d79ac7087988f1c61/repeat_1/results.json";

/// Names of the files, or folders of results, and what must be said of them.
fn write_all(place: &Place) -> Vec<(String, &'static str)> {
    const MANY: usize = 10_000_000;
    let mut all = Vec::new();
    let mut add = |name: &str, says: &'static str, write: &dyn Fn(&Path)| {
        let is_folder = name.ends_with(".results");
        let path = place.path(name).join(if is_folder { RUN } else { "" });
        let path = if is_folder { path } else { place.path(name) };
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write(&path);
        all.push((name.to_owned(), says));
    };
    let bytes = |bytes: Vec<u8>| move |path: &Path| fs::write(path, &bytes).unwrap();
    let repeated = |start: &[u8], what: &[u8], count: usize| {
        let (start, what) = (start.to_vec(), what.to_vec());
        move |path: &Path| {
            let mut out = BufWriter::new(File::create(path).unwrap());
            out.write_all(&start).unwrap();
            (0..count).for_each(|_| out.write_all(&what).unwrap());
            out.flush().unwrap();
        }
    };
    // As long as they say, and take no space.
    let sparse = |start: Vec<u8>, len: u64| {
        move |path: &Path| {
            fs::write(path, &start).unwrap();
            File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(len)
                .unwrap();
        }
    };
    for (name, length) in [
        ("all.tfrecord", u64::MAX),
        ("sign.tfrecord", 1 << 63),
        ("tera.tfrecord", 1 << 40),
        ("giga.tfrecord", 3 << 30),
    ] {
        add(name, "bytes", &bytes([&head(length)[..], b"[]"].concat()));
    }
    add(
        "2gb.tfrecord",
        "bytes",
        &sparse(head(2 << 30), (2 << 30) + 16),
    );
    add(
        "2gb.csv",
        "",
        &sparse(b"hash,budget_epochs,energy_kwh\n".to_vec(), 2 << 30),
    );
    add("2gb.results", "", &sparse(b"{".to_vec(), 2 << 30));
    add("200mb.results", "", &sparse(b"{".to_vec(), 200 << 20));
    let deep = b"[".repeat(1_000_000);
    add("deep.tfrecord", "", &bytes(record(&deep)));
    add("deep.results", "", &bytes(deep.clone()));
    let object = b"{\"a\":".repeat(200_000);
    add("objects.results", "", &bytes(object));
    // Field 100: groups within groups; messages within messages.
    add(
        "groups.tfrecord",
        "",
        &bytes(trial(&[0xA3, 0x06].repeat(300_000))),
    );
    let mut nested = Vec::new();
    for _ in 0..500 {
        let len = nested.len() as u32;
        let varint = [len as u8 | 0x80, (len >> 7) as u8 & 0x7F];
        nested = [&[0x0A][..], &varint, &nested].concat();
    }
    add("messages.tfrecord", "", &bytes(trial(&nested)));
    // What takes far more memory when it is parsed than it did before.
    let numbers = |bytes: usize| [&b"{\"a\":["[..], &b"0,".repeat(bytes / 2), b"0]}"].concat();
    add("numbers.results", "bytes", &bytes(numbers(16 << 20)));
    add(
        "most.results",
        "expected at least one evaluation",
        &bytes(numbers((1 << 20) - 16)),
    );
    let evaluations = [0x0A, 0x00].repeat(300_000);
    add("evaluations.tfrecord", "10000", &bytes(trial(&evaluations)));
    let columns: String = (0..100_000).map(|number| format!("a{number},")).collect();
    let header = format!("hash,{columns}b\n");
    add("distinct.csv", "10000", &bytes(header.into_bytes()));
    add("tiny.tfrecord", "", &repeated(b"", &record(b""), MANY));
    add(
        "tiny.csv",
        "",
        &repeated(b"hash,budget_epochs,energy_kwh\n", b"a,4,1\n", MANY),
    );
    add(
        "blank.csv",
        "",
        &repeated(b"hash,budget_epochs,energy_kwh\n", b"\n", MANY),
    );
    add("columns.csv", "", &repeated(b"", b"hash,", 1_000_000));
    add(
        "quotes.csv",
        "",
        &repeated(b"hash,budget_epochs,energy_kwh\n", b"\"", 1_000_000),
    );
    add(
        "endless.csv",
        "",
        &repeated(b"hash,budget_epochs,energy_kwh\n", b"aaaaaaaaaa", MANY),
    );
    all
}

/// The header of a snapshot whose section table and checksums begin at these bytes.
fn header(sections: u32, table: u64, table_crc: u32, checksums: u64) -> (Vec<u8>, u64) {
    let mut bytes = kit::snapshot(1, 1);
    bytes.truncate(128);
    let len = checksums + (checksums - 128).div_ceil(1 << 16) * 4;
    bytes[16..24].copy_from_slice(&len.to_le_bytes());
    bytes[24..28].copy_from_slice(&sections.to_le_bytes());
    bytes[32..40].copy_from_slice(&table.to_le_bytes());
    bytes[40..44].copy_from_slice(&table_crc.to_le_bytes());
    bytes[48..56].copy_from_slice(&checksums.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..124]);
    bytes[124..].copy_from_slice(&crc.to_le_bytes());
    (bytes, len)
}

/// Snapshots whose frame takes more memory than there is, all as the header says; and what must be said of them.
fn write_snapshots(place: &Place) -> Vec<(String, &'static str)> {
    const LONG: u64 = 192 << 20;
    let write = |name: &str, parts: &[(u64, &[u8])], len: u64| {
        use std::io::{Seek, SeekFrom};
        let mut file = File::create(place.path(name)).unwrap();
        for (at, bytes) in parts {
            file.seek(SeekFrom::Start(*at)).unwrap();
            file.write_all(bytes).unwrap();
        }
        file.set_len(len).unwrap();
    };
    write(
        "header.ecnas",
        &[(0, b"\x89ECNAS\r\n"), (8, &[0xFF; 4096])],
        4104,
    );
    let (head, len) = header(LONG as u32 / 24, 128, 0, 128 + LONG);
    write("sections.ecnas", &[(0, &head)], len);
    // Kind 1, the catalog; alignment; offset; length.
    let entry: Vec<u8> = [1 | 64 << 32, 128, LONG]
        .into_iter()
        .flat_map(u64::to_le_bytes)
        .collect();
    let (head, len) = header(1, 128 + LONG, crc32c::crc32c(&entry), 128 + LONG + 24);
    write("catalog.ecnas", &[(0, &head), (128 + LONG, &entry)], len);
    [
        ("header.ecnas", "version"),
        ("sections.ecnas", "at most 262144 sections"),
        ("catalog.ecnas", "a catalog of at most 4194304 bytes"),
    ]
    .map(|(name, says)| (name.to_owned(), says))
    .into()
}

#[test]
fn hostile_files_end_in_an_error_within_little_memory() {
    let place = Place::new();
    let check = |words: &[&str], says: &str| {
        let source = words.last().unwrap();
        let output = place.run_limited(&LIMITS, words);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{source}: {text}");
        let line = text.lines().last().unwrap();
        assert!(
            line.starts_with("error: ") && line.contains(says),
            "{source}: {text}"
        );
        assert!(
            !text.contains("panicked") && text.len() < 2000,
            "{source}: {text}"
        );
        if std::env::var_os("ECNAS_SHOW").is_some() {
            println!("{source}: {line}");
        }
    };
    let sources = write_all(&place);
    for (source, says) in &sources {
        check(&["import", "-s", "own.redb", source], says);
        assert_eq!(tables(&place.path("own.redb")), []);
        // Given directly, it is looked for in the cache by its digest first: all of its bytes.
        if !source.starts_with("2gb") {
            check(&["recipe", source], says);
        }
    }
    for lists in ["columns.csv", "endless.csv"] {
        check(&["predict", "-f", lists], "1 MiB");
    }
    let snapshots = write_snapshots(&place);
    for (snapshot, says) in &snapshots {
        check(&["info", snapshot], says);
    }
    // The control: what does take memory is refused it.
    place.source("t.tfrecord", 8, 4);
    place.run(&["import", "-s", "t.redb", "t.tfrecord"]);
    let control = place.run_limited(&["-d 2048"], &["seal", "-s", "t.redb", "-o", "t.ecnas"]);
    assert!(!control.status.success(), "the control did not fail");
    report(
        "hostile files within 512 MB of addresses and 66 MiB of memory",
        (sources.len() + snapshots.len()) as u64,
        "control: 2 MiB were too few for a seal",
    );
}
