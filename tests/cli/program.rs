//! Running the program in a folder of its own, on a small table.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ecnas::cell::Cell;
use ecnas::metrics::{Budget, Checkpoint, Metric, Provenance, Provenances, TableInfo, Trial};
use ecnas::snapshot::SnapshotWriter;
use serde_json::Value;
use tempfile::TempDir;

/// A folder, in which the program runs, with its cache.
pub struct Folder(TempDir);

/// What a run did.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .current_dir(self.0.path())
            .env("ECNAS_CACHE", self.path("cache"));
        command
    }

    /// Runs the program with these words as arguments.
    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::from(
            self.command(env!("CARGO_BIN_EXE_ecnas"))
                .args(arguments)
                .output()
                .unwrap(),
        )
    }

    /// Runs it where it must succeed, and gives what it printed.
    pub fn print(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{arguments:?}");
        run.out
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.print(arguments)).unwrap()
    }

    /// Runs it where it must fail: the code, and the line on standard error.
    pub fn fail(&self, arguments: &[&str]) -> (i32, String) {
        let run = self.run(arguments);
        assert_eq!(run.out, "", "{arguments:?}");
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
        let line = run.err.trim_end().strip_prefix("error: ").unwrap();
        (run.code, line.to_owned())
    }

    /// As [`run`](Self::run), with files limited to so many blocks of 512 bytes.
    pub fn run_limited(&self, blocks: u32, arguments: &[&str]) -> Run {
        let script = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut command = self.command("sh");
        command
            .args(["-c", &script, env!("CARGO_BIN_EXE_ecnas")])
            .args(arguments);
        Run::from(command.output().unwrap())
    }

    /// Names of the files in the folder.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A snapshot `small.ecnas` of one table `small`; of two, with `other`.
    pub fn small(&self, tables: usize) -> &'static str {
        let mut writer = SnapshotWriter::create(self.path("small.ecnas")).unwrap();
        for name in ["small", "other"].into_iter().take(tables) {
            writer.begin_table(info(name)).unwrap();
            for trial in trials() {
                writer.add(&trial).unwrap();
            }
        }
        writer.finish().unwrap();
        "small.ecnas"
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Two operations in a row, a single one, and none.
pub const DEEP: &str = "0100001000010000:input,conv3x3-bn-relu,conv3x3-bn-relu,output";
pub const FLAT: &str = "010001000:input,conv1x1-bn-relu,output";
pub const BARE: &str = "0100:input,output";

pub fn hash(cell: &str) -> String {
    cell.parse::<Cell>().unwrap().hash().to_string()
}

/// Energies and accuracies at 4 epochs (one trial) and 12 epochs (two). `BARE` has no accuracy at 12 epochs.
fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (cell, energy, accuracy) in [(DEEP, 2.0, 0.9), (FLAT, 1.0, 0.895), (BARE, 0.5, 0.5)] {
        for (epochs, repeat) in [(4, 1), (12, 1), (12, 2)] {
            let cell: Cell = cell.parse().unwrap();
            let mut trial = Trial::new(cell.hash(), Budget::epochs(epochs).unwrap(), repeat);
            trial.cell = Some(cell);
            let parameters = cell.trainable_parameters() as f64;
            trial.totals.set(Metric::TrainableParameters, parameters);
            let mut last = Checkpoint::default();
            last.values
                .set(Metric::Energy, energy * f64::from(epochs + repeat - 1));
            last.values.set(Metric::Epoch, f64::from(epochs));
            if (accuracy, epochs) != (0.5, 12) {
                last.values.set(Metric::ValidationAccuracy, accuracy);
            }
            trial.checkpoints = vec![Checkpoint::default(), last];
            trials.push(trial);
        }
    }
    trials
}

fn info(name: &str) -> TableInfo {
    let scaled = Provenances::uniform(Provenance::Measured)
        .with_results(&[Metric::Energy], &Provenance::Scaled);
    TableInfo {
        name: name.to_owned(),
        device: Some("a device".to_owned()),
        pue: Some(1.5),
        provenance: scaled,
        ..TableInfo::default()
    }
}
