//! The whole way at size: a synthetic TFRecord of at least 600 MB, and the default benchmark as a TFRecord, are imported,
//! sealed, opened and asked, beside a plain Python reader of the same file.
//!
//! `cargo bench --bench large_import --features import`. `ECNAS_BENCH_CELLS` sets the number of synthetic cells (default
//! 190,000; four records each). Each step runs in a process of its own, so that its peak memory is its own. The Python reader runs where
//! `$PYTHON` (default `python3`) has the packages of `benches/python/requirements.txt`.

mod common;

use std::fs::File;
use std::io::BufWriter;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use ecnas::import::{ImportOptions, tfrecord};
use ecnas::metrics::{Budget, Metric, Trial};
use ecnas::snapshot::{Snapshot, SnapshotError};
use ecnas::store::{OnDuplicate, Store};
use ecnas::{benchmark, export};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().position(|word| word == "--step") {
        Some(at) => step(&arguments[at + 1], arguments[at + 2].as_ref()),
        None => run(),
    }
}

fn run() {
    let cells = std::env::var("ECNAS_BENCH_CELLS").ok();
    let cells: usize = cells.and_then(|text| text.parse().ok()).unwrap_or(190_000);
    let seed = common::SEED;
    let synthetic = common::trials(cells).map(Ok);
    run_on(&format!("synthetic, seed {seed}, {cells} cells"), synthetic);
    let folder = tempfile::tempdir().unwrap();
    let path =
        benchmark::default_path_in(&folder.path().join("cache"), |_| ControlFlow::Continue(()))
            .unwrap();
    let built = Snapshot::open(path).unwrap();
    run_on(
        "default benchmark",
        export::lines(built.only_table().unwrap()),
    );
}

fn run_on(name: &str, trials: impl Iterator<Item = Result<Trial, SnapshotError>>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.tfrecord");
    let out = BufWriter::new(File::create(&file).unwrap());
    let start = Instant::now();
    let written = tfrecord::write_tfrecord(trials, out).unwrap();
    println!(
        "{name}: {} records, {} bytes of TFRecord, made and written in {:.1} s, warm, {} cores",
        written.records,
        written.bytes,
        start.elapsed().as_secs_f64(),
        std::thread::available_parallelism().map_or(0, usize::from),
    );
    for step in ["read", "import", "seal", "open"] {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--step", step])
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(status.success(), "{step} failed");
    }
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/python/read_tfrecord.py");
    let peer = Command::new(python)
        .arg(script)
        .arg(&file)
        .args(["--passes", "1"])
        .output();
    match peer {
        Ok(output) if output.status.success() => {
            println!(
                "Python reader: {}",
                String::from_utf8_lossy(&output.stdout).trim()
            );
        }
        _ => println!("Python reader: not run (see benches/python/requirements.txt)"),
    }
}

/// One step, in this process.
fn step(name: &str, folder: &Path) {
    let file = folder.join("large.tfrecord");
    let (store, snapshot) = (folder.join("store.redb"), folder.join("sealed.ecnas"));
    let go_on = |_: ecnas::import::Progress| ControlFlow::Continue(());
    let start = Instant::now();
    let (records, bytes) = match name {
        "read" => {
            let options = ImportOptions::default();
            let import = ecnas::import::Import::open(&file, &options).unwrap();
            let source = import.finish().unwrap().info.sources[0].clone();
            (source.trials, source.bytes)
        }
        "import" => {
            let options = ImportOptions::default();
            let mut store = Store::open(&store).unwrap();
            let refuse = OnDuplicate::Refuse;
            let done = ecnas::ingest(&mut store, &file, None, &options, refuse, go_on).unwrap();
            (done.counts.added, done.info.sources[0].bytes)
        }
        "seal" => {
            let sealed = ecnas::seal(&mut Store::open(&store).unwrap(), &snapshot).unwrap();
            (sealed.trials, sealed.bytes)
        }
        _ => return open(&snapshot),
    };
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{name}: {records} records, {bytes} bytes in {seconds:.2} s: {:.0} MB/s, {:.0} records/s; peak memory {} MB",
        bytes as f64 / 1e6 / seconds,
        records as f64 / seconds,
        peak_memory_mb(),
    );
}

/// Opens the large snapshot, quickly and many times, and asks it.
fn open(path: &Path) {
    const TIMES: u32 = 1000;
    let start = Instant::now();
    for _ in 0..TIMES {
        // SAFETY: nothing changes the file while the benchmark runs.
        #[allow(unsafe_code)]
        let snapshot = unsafe { Snapshot::map(path) }.unwrap();
        let view = snapshot
            .view("large", Budget::epochs(108).unwrap())
            .unwrap();
        let row = view
            .at(ecnas::snapshot::RowId(view.len() as u32 / 2))
            .unwrap();
        assert!(row.get(Metric::Energy).is_some());
    }
    let open = start.elapsed() / TIMES;
    // SAFETY: as above.
    #[allow(unsafe_code)]
    let snapshot = unsafe { Snapshot::map(path) }.unwrap();
    let start = Instant::now();
    let verified = snapshot.verify().unwrap();
    println!(
        "open (quick) and first answer: {open:?} for {} bytes; verify: {:?}; peak memory {} MB",
        verified.bytes,
        start.elapsed(),
        peak_memory_mb(),
    );
}

/// Most memory that this process held, in MB; 0 where the system does not tell.
fn peak_memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1024 / 1_000_000
}
