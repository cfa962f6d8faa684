//! Long work: a progress bar on a terminal's standard error, and Ctrl-C.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;

static HOLDS: AtomicUsize = AtomicUsize::new(0);
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Listens to Ctrl-C: the first one asks work that [holds](Hold) the program to stop; without any, or the second time, the
/// program ends.
pub fn listen() -> Result<(), Failure> {
    let end = || {
        let stops_itself = HOLDS.load(Ordering::SeqCst) > 0;
        if !stops_itself || INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(end)
        .map_err(|error| Failure::error(format!("cannot listen to Ctrl-C: {error}")))
}

/// Whether Ctrl-C asked work to stop.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Keeps Ctrl-C from ending the program at once, where something is to be tidied up first.
pub struct Hold(());

impl Hold {
    /// Holds the program until it is dropped.
    pub fn new() -> Self {
        HOLDS.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        HOLDS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Work that shows how far it is (if standard error is a terminal) and stops when asked.
pub struct Work {
    bar: ProgressBar,
    _hold: Hold,
}

impl Work {
    /// Work whose length is known, in things of this name.
    pub fn of(what: &str, length: u64, things: &str) -> Self {
        let shape = match things {
            "bytes" => "{bytes}/{total_bytes} {bytes_per_sec}".to_owned(),
            things => format!("{{human_pos}}/{{human_len}} {things}"),
        };
        Self::begin(
            ProgressBar::new(length),
            &format!("{{msg}} {{wide_bar}} {shape} {{eta}}"),
            what,
        )
    }

    /// Work whose length is not known.
    pub fn open_ended(what: &str) -> Self {
        Self::begin(ProgressBar::new_spinner(), "{spinner} {msg}", what)
    }

    fn begin(bar: ProgressBar, shape: &str, what: &str) -> Self {
        if let Ok(style) = ProgressStyle::with_template(shape) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar,
            _hold: Hold::new(),
        }
    }

    /// So much of it is done; breaks where it should stop.
    pub fn at(&self, done: u64, of: u64) -> ControlFlow<()> {
        self.bar.set_length(of);
        self.bar.set_position(done);
        match interrupted() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// One more is done.
    pub fn one(&self) {
        self.bar.inc(1);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// An output that fails once Ctrl-C was pressed.
pub struct Stoppable<W>(pub W);

impl<W: Write> Write for Stoppable<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if interrupted() {
            // Not `Interrupted`: that asks to try again.
            return Err(io::Error::other("interrupted"));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
