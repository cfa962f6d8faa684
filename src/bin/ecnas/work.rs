//! Long work: a progress bar on a terminal's standard error, and Ctrl-C.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use signal_hook::consts::SIGINT;
use signal_hook::flag;

use crate::failure::Failure;
use crate::screen;

static HOLDS: AtomicUsize = AtomicUsize::new(0);
static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
/// Whether the next Ctrl-C ends the program, whatever it is doing.
static ENDS_AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

/// Listens to Ctrl-C: the first one asks work that [holds](Hold) the program to stop; without any, or the second time, the
/// program ends at once, even while it waits for somebody to read what it wrote.
pub fn listen() -> Result<(), Failure> {
    let failed = |error| Failure::error(format!("cannot listen to Ctrl-C: {error}"));
    let ends_at_once = || Arc::clone(&ENDS_AT_ONCE);
    flag::register_conditional_shutdown(SIGINT, 130, ends_at_once()).map_err(failed)?;
    flag::register(SIGINT, Arc::clone(&INTERRUPTED)).map_err(failed)?;
    flag::register(SIGINT, ends_at_once()).map_err(failed)?;
    Ok(())
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
        if !interrupted() {
            ENDS_AT_ONCE.store(false, Ordering::SeqCst);
        }
        Self(())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if HOLDS.fetch_sub(1, Ordering::SeqCst) == 1 {
            ENDS_AT_ONCE.store(true, Ordering::SeqCst);
        }
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
        bar.set_message(screen::one_line(what).into_owned());
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
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
