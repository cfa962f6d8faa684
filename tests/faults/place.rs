//! A folder in which the program runs, is limited, and is killed.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use ecnas::import::tfrecord;
use ecnas::store::Store;
use rand::Rng;
use tempfile::TempDir;

use crate::kit;

/// A folder with its own cache.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ecnas"));
        self.prepare(&mut command);
        command.args(words);
        command
    }

    pub fn prepare(&self, command: &mut Command) {
        command
            .current_dir(self.0.path())
            .env("ECNAS_CACHE", self.path("cache"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    /// Runs it where it must succeed.
    pub fn run(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs it under limits of the shell: `-f` blocks of 512 bytes to write, `-v` KiB of addresses, `-d` KiB of memory of
    /// its own.
    pub fn run_limited(&self, limits: &[&str], words: &[&str]) -> Output {
        let limits: String = limits
            .iter()
            .map(|limit| format!("ulimit {limit}; "))
            .collect();
        let script = format!("{limits}exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        self.prepare(&mut command);
        command
            .args(["-c", &script, env!("CARGO_BIN_EXE_ecnas")])
            .args(words);
        command.output().unwrap()
    }

    /// Starts it and kills it after some time; says whether it had ended by itself.
    pub fn killed_after(&self, words: &[&str], time: Duration) -> bool {
        killed_after(self.command(words).spawn().unwrap(), time)
    }

    /// The same words, with the program's output written straight into a file: what it would be to write without care.
    pub fn careless(&self, words: &[&str], into: &str) -> Command {
        let mut command = Command::new("sh");
        self.prepare(&mut command);
        let script = format!("exec \"$0\" \"$@\" > {into}");
        command
            .args(["-c", &script, env!("CARGO_BIN_EXE_ecnas")])
            .args(words);
        command
    }

    /// A TFRecord file of so many trials.
    pub fn source(&self, name: &str, repeats: u32, epochs: u32) -> u64 {
        let out = BufWriter::new(File::create(self.path(name)).unwrap());
        let cells = kit::cells();
        let all = (0..repeats).flat_map(|repeat| {
            let numbered = cells.iter().zip(u64::from(repeat)..);
            numbered.map(move |(cell, number)| kit::trial(*cell, epochs, repeat + 1, number))
        });
        let written = tfrecord::write_tfrecord(all.map(Ok::<_, std::io::Error>), out).unwrap();
        written.records
    }
}

/// This very program, as a process that runs one test that is otherwise left out.
pub fn own_child(test: &str, path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env("ECNAS_CHILD", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// The path that [`own_child`] was given; `None` in the program itself.
pub fn given_path() -> Option<PathBuf> {
    std::env::var_os("ECNAS_CHILD").map(PathBuf::from)
}

/// Kills a process after some time; says whether it had ended by itself.
pub fn killed_after(mut child: Child, time: Duration) -> bool {
    std::thread::sleep(time);
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    ended
}

/// The trials of each table of a store that must be whole.
pub fn tables(path: &Path) -> Vec<(String, u64)> {
    let mut store = Store::open(path).unwrap();
    store.verify().unwrap();
    let tables = store.tables().unwrap().into_iter();
    tables
        .map(|table| (table.info.name, table.trials))
        .collect()
}

pub fn moment(random: &mut impl Rng, longest: Duration) -> Duration {
    longest.mul_f64(random.random_range(0.0..1.2))
}
