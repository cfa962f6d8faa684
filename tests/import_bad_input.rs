//! Every kind of bad input gives its own error, which names file, record and byte and says what to do.
#![cfg(feature = "import")]

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ecnas::cell::CellError;
use ecnas::import::{Fault, Import, ImportError, ImportOptions, NotASource, read_bytes};

const GRAPH: &str = "\"0110001100010000\", \"input,conv1x1-bn-relu,conv3x3-bn-relu,output\"";
const HASH: &str = "5529e1779433733d1145e20de5d8604e";

fn open(bytes: &[u8]) -> ImportError {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("input.bin");
    fs::write(&path, bytes).unwrap();
    let import = Import::open(&path, &ImportOptions::default());
    let error = import.and_then(Import::finish);
    let error = match error {
        // After an error of a batch the iterator ends.
        Err(error) => error,
        Ok(imported) => panic!("{imported:?}"),
    };
    assert!(error.to_string().contains("input.bin"), "{error}");
    let in_memory = read_bytes(&path, bytes, &ImportOptions::default()).unwrap_err();
    assert_eq!(in_memory.to_string(), error.to_string());
    error
}

fn reason(bytes: &[u8]) -> (NotASource, String) {
    let error = open(bytes);
    match &error {
        ImportError::NotASource { reason, .. } => (reason.clone(), error.to_string()),
        _ => panic!("{error}"),
    }
}

/// The fault of the file's n-th record, which begins at that byte.
fn fault(bytes: &[u8], record: usize, byte: usize) -> (Fault, String) {
    let error = open(bytes);
    let text = error.to_string();
    assert!(
        text.contains(&format!("input.bin: record {record}, byte {byte}: ")),
        "{text}"
    );
    (error.fault().unwrap().clone(), text)
}

fn crc(bytes: &[u8]) -> [u8; 4] {
    let crc = crc32c::crc32c(bytes);
    crc.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u64).to_le_bytes();
    [&length, &crc(&length)[..], payload, &crc(payload)].concat()
}

fn payload(hash: &str, epochs: &str, graph: &str, metrics: &[u8]) -> Vec<u8> {
    let metrics = STANDARD.encode(metrics);
    format!("[\"{hash}\", {epochs}, {graph}, \"{metrics}\\n\"]").into_bytes()
}

/// Field 1 of an evaluation, a double.
fn evaluation(field: u8, value: f64) -> Vec<u8> {
    [&[0x0a, 9, field << 3 | 1], &value.to_le_bytes()[..]].concat()
}

fn good() -> Vec<u8> {
    frame(&payload(HASH, "4", GRAPH, &evaluation(1, 4.0)))
}

/// A good record and then this one.
fn second(payload: &[u8]) -> (Fault, String) {
    let bytes = [good(), frame(payload)].concat();
    fault(&bytes, 2, good().len())
}

#[test]
fn good_input_is_good() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("good");
    fs::write(&path, [good(), good()].concat()).unwrap();
    let import = Import::open(&path, &ImportOptions::default()).unwrap();
    let imported = import.finish().unwrap();
    assert_eq!(imported.info.sources[0].trials, 2);
}

#[test]
fn an_empty_file() {
    assert_eq!(reason(b"").0, NotASource::Empty);
    assert_eq!(reason(b" \n").0, NotASource::Empty);
}

#[test]
fn a_git_lfs_pointer() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:eba6\nsize 893556\n";
    let (reason, text) = reason(pointer.as_bytes());
    assert_eq!(
        reason,
        NotASource::LfsPointer {
            size: Some(893_556)
        }
    );
    assert!(
        text.contains("893556 bytes") && text.contains("git lfs pull"),
        "{text}"
    );
}

#[test]
fn a_snapshot_or_a_store() {
    assert_eq!(
        reason(b"\x89ECNAS\r\n\x1a\n and more").0,
        NotASource::Snapshot
    );
    assert_eq!(
        reason(b"redb\x1A\x0A\xA9\x0D\x0A and more").0,
        NotASource::Store
    );
}

#[test]
fn json_that_is_no_source() {
    let graphs = format!("{{\"{HASH}\": [[[0, 1], [0, 0]], [-1, -2]]}}");
    assert_eq!(reason(graphs.as_bytes()).0, NotASource::Graphs);
    assert_eq!(reason(b"{\"trainable_params\": 3}").0, NotASource::Json);
}

#[test]
fn foreign_files() {
    assert_eq!(
        reason(b"\x1f\x8b\x08\0\0\0\0\0").0,
        NotASource::Compressed { how: "gzip" }
    );
    let (reason, text) = reason(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    assert!(matches!(reason, NotASource::Unknown { .. }), "{text}");
    assert!(text.contains("PNG"), "{text}");
}

#[test]
fn a_path_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("absent");
    let error = Import::open(&path, &ImportOptions::default()).unwrap_err();
    assert!(matches!(error, ImportError::Io { .. }));
    assert!(error.to_string().contains("absent") && error.to_string().contains("check the path"));
}

#[cfg(unix)]
#[test]
fn no_permission() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("closed");
    fs::write(&path, good()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&path).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    let error = Import::open(&path, &ImportOptions::default()).unwrap_err();
    assert!(error.to_string().contains("closed") && error.to_string().contains("permission"));
}

#[test]
fn truncated_anywhere() {
    let whole = [good(), good()].concat();
    let first = good().len();
    for length in 1..whole.len() {
        if length == first {
            continue;
        }
        let at = if length < first { 0 } else { first };
        let (fault, text) = fault(&whole[..length], 1 + at / first, at);
        assert!(matches!(fault, Fault::Truncated { .. }), "{length}: {text}");
    }
}

#[test]
fn any_flipped_bit() {
    let whole = [good(), good()].concat();
    let first = good().len();
    for bit in 0..first * 8 {
        let mut bytes = whole.clone();
        bytes[first + bit / 8] ^= 1 << (bit % 8);
        let (fault, text) = fault(&bytes, 2, first);
        let expected = match bit / 8 {
            ..12 => matches!(fault, Fault::LengthChecksum { .. }),
            _ => matches!(fault, Fault::PayloadChecksum { .. }),
        };
        assert!(expected, "{bit}: {text}");
    }
}

#[test]
fn a_declared_length_of_2_to_the_60() {
    let length = (1_u64 << 60).to_le_bytes();
    let start = [&length[..], &crc(&length), b"[\"5529\""].concat();
    let declared = 1 << 60;
    assert_eq!(
        fault(&start, 1, 0).0,
        Fault::TooLong {
            declared,
            limit: 1 << 20
        }
    );
    let bytes = [good(), start].concat();
    assert!(matches!(
        fault(&bytes, 2, good().len()).0,
        Fault::TooLong { .. }
    ));
}

#[test]
fn a_length_beyond_the_end() {
    let length = (1_u64 << 20).to_le_bytes();
    let bytes = [&good()[..], &length, &crc(&length), b"[\"5529\""].concat();
    let (fault, text) = fault(&bytes, 2, good().len());
    assert_eq!(
        fault,
        Fault::Truncated {
            expected: (1 << 20) + 4,
            found: 7
        },
        "{text}"
    );
}

#[test]
fn json_of_another_shape() {
    let graph = GRAPH.to_owned();
    for json in [
        format!("[\"{HASH}\", 4, {graph}]"),
        format!("[\"{HASH}\", 4, {graph}, \"\", 1]"),
        format!("[\"{HASH}\", \"4\", {graph}, \"\"]"),
        format!("[\"{HASH}\", 4.5, {graph}, \"\"]"),
        format!("[\"{HASH}\", 4, {graph}, null]"),
        "{}".to_owned(),
        "[".to_owned(),
        String::new(),
    ] {
        let (fault, text) = second(json.as_bytes());
        assert!(matches!(fault, Fault::Json { .. }), "{text}");
    }
}

#[test]
fn base64_rubbish() {
    let json = format!("[\"{HASH}\", 4, {GRAPH}, \"b%se64\"]");
    let (fault, text) = second(json.as_bytes());
    assert!(matches!(fault, Fault::Base64 { .. }), "{text}");
}

#[test]
fn protobuf_rubbish() {
    let (fault, text) = second(&payload(HASH, "4", GRAPH, &[0x0a, 200, 1]));
    assert!(matches!(fault, Fault::Protobuf { .. }), "{text}");
    let (fault, text) = second(&payload(HASH, "4", GRAPH, &[0x0f]));
    assert!(matches!(fault, Fault::Protobuf { .. }), "{text}");
}

#[test]
fn no_evaluations() {
    // Only the number of parameters.
    assert_eq!(
        second(&payload(HASH, "4", GRAPH, &[0x10, 7])).0,
        Fault::NoEvaluations
    );
    assert_eq!(
        second(&payload(HASH, "4", GRAPH, &[])).0,
        Fault::NoEvaluations
    );
}

#[test]
fn an_unknown_operation() {
    let graph = GRAPH.replace("conv3x3", "conv5x5");
    let (fault, text) = second(&payload(HASH, "4", &graph, &evaluation(1, 4.0)));
    assert!(
        matches!(fault, Fault::Cell(CellError::UnknownOperation { .. })),
        "{text}"
    );
    assert!(
        text.contains("conv5x5") && text.contains("maxpool3x3"),
        "{text}"
    );
}

#[test]
fn a_hash_that_does_not_fit() {
    let other = HASH.replace('5', "6");
    let (fault, text) = second(&payload(&other, "4", GRAPH, &evaluation(1, 4.0)));
    assert!(matches!(fault, Fault::HashMismatch { .. }), "{text}");
    assert!(text.contains(HASH) && text.contains(&other), "{text}");
    let (fault, text) = second(&payload("55", "4", GRAPH, &evaluation(1, 4.0)));
    assert!(matches!(fault, Fault::Hash(_)), "{text}");
}

#[test]
fn epochs_that_are_no_budget() {
    for epochs in ["0", "-4", "4294967296"] {
        let (fault, text) = second(&payload(HASH, epochs, GRAPH, &evaluation(1, 4.0)));
        assert_eq!(
            fault,
            Fault::Budget {
                found: epochs.to_owned()
            },
            "{text}"
        );
    }
}

#[test]
fn values_that_no_run_has() {
    for (field, name, value, expected) in [
        (6, "energy", f64::NAN, "a finite number"),
        (2, "training_time", f64::INFINITY, "a finite number"),
        (6, "energy", -0.5, "not negative"),
        (4, "validation_accuracy", 1.5, "from 0 to 1"),
    ] {
        let (fault, text) = second(&payload(HASH, "4", GRAPH, &evaluation(field, value)));
        assert!(matches!(fault, Fault::Value { .. }), "{text}");
        let says = format!("evaluation_data[0].{name}: expected");
        assert!(text.contains(&says) && text.contains(expected), "{text}");
    }
}

#[test]
fn an_import_ends_after_its_first_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("input");
    fs::write(&path, [good(), frame(b"[]"), good()].concat()).unwrap();
    let mut import = Import::open(&path, &ImportOptions::default()).unwrap();
    assert!(import.next().unwrap().is_err());
    assert!(import.next().is_none());
    assert!(matches!(import.finish(), Err(ImportError::Stopped { .. })));
}

/// A CSV file of so many rows before the last one, whose note has this byte.
fn noted(rows: usize, byte: u8) -> (Vec<u8>, usize) {
    let mut bytes = b"hash,epochs,energy_kwh,note\n".to_vec();
    for _ in 0..rows {
        bytes.extend(format!("{HASH},4,1,\u{e4} note\n").as_bytes());
    }
    let at = bytes.len() + HASH.len() + 7;
    bytes.extend(format!("{HASH},4,1,?m\n").as_bytes());
    bytes[at] = byte;
    (bytes, at)
}

#[test]
fn text_in_latin_1_is_refused_with_its_byte() {
    for rows in [0, 3, 500, 30_000] {
        let (bytes, at) = noted(rows, 0xe4);
        let text = open(&bytes).to_string();
        let parts = [
            format!("at byte {at} the byte 0xe4"),
            "save the file as UTF-8".to_owned(),
        ];
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        if rows >= 500 {
            assert!(
                text.contains(&format!("record {}, line {}", rows + 1, rows + 2)),
                "{text}"
            );
        }
    }
    // In a comment before the header, and beyond what is looked at first.
    let long = format!("# {}\n# device: ", "x".repeat(5000));
    let (rows, _) = noted(1, b'x');
    let bytes = [long.as_bytes(), b"Ger\xe4t\n", &rows].concat();
    let text = open(&bytes).to_string();
    assert!(
        text.contains(&format!(
            "line 2, byte 5003: expected text in UTF-8, found at byte {}",
            long.len() + 3
        )),
        "{text}"
    );
}

#[test]
fn nul_bytes_are_refused_with_their_place() {
    for rows in [0, 3, 500, 30_000] {
        let (bytes, at) = noted(rows, 0);
        let text = open(&bytes).to_string();
        assert!(text.contains(&format!("at byte {at} a NUL byte")), "{text}");
    }
}

#[test]
fn text_in_utf_16_is_refused_by_name() {
    let (rows, _) = noted(0, b'x');
    let rows = std::str::from_utf8(&rows).unwrap();
    let units = || rows.encode_utf16();
    let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
    for bytes in [
        [&b"\xff\xfe"[..], &little].concat(),
        [&b"\xfe\xff"[..], &big].concat(),
        little,
        big,
    ] {
        let (reason, text) = reason(&bytes);
        assert_eq!(reason, NotASource::Utf16);
        assert!(text.contains("CSV UTF-8"), "{text}");
    }
}

#[test]
fn a_file_of_a_few_bytes_is_called_cut_off() {
    for first in 0..=u8::MAX {
        let bytes = [first];
        let text = open(&bytes).to_string();
        let is_blank = matches!(first, b' ' | b'\n' | b'\r' | b'\t');
        let says = ["cut off", "is truncated", "single JSON file"];
        assert!(
            is_blank || says.iter().any(|part| text.contains(part)),
            "{first}: {text}"
        );
    }
}
