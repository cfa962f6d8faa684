//! Long work: a progress bar on a terminal's standard error, and the signals that end it: Ctrl-C (SIGINT), SIGTERM, SIGHUP.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGXFSZ};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::failure::Failure;
use crate::screen;

static HOLDS: AtomicUsize = AtomicUsize::new(0);
/// The number of the signal that asked work to stop, 0 before there is one.
static INTERRUPTED: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);
/// Whether the next signal ends the program, whatever it is doing.
static ENDS_AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

/// Listens to the signals that end the program: the first one asks work that [holds](Hold) the program to stop; without any,
/// or the second time, the program ends at once, even while it waits for somebody to read what it wrote.
pub fn listen() -> Result<(), Failure> {
    let failed = |error| Failure::error(format!("cannot listen to signals: {error}"));
    let ends_at_once = || Arc::clone(&ENDS_AT_ONCE);
    let signals = [
        Some(SIGINT),
        Some(SIGTERM),
        #[cfg(unix)]
        (!is_ignored(SIGHUP)).then_some(SIGHUP),
    ];
    for signal in signals.into_iter().flatten() {
        let code = i32::from(exit_code(signal as usize));
        flag::register_conditional_shutdown(signal, code, ends_at_once()).map_err(failed)?;
        flag::register_usize(signal, Arc::clone(&INTERRUPTED), signal as usize).map_err(failed)?;
        flag::register(signal, ends_at_once()).map_err(failed)?;
    }
    // With a handler, writing beyond a limit on file sizes is an error as on a full disk, and does not kill the program.
    #[cfg(unix)]
    flag::register(SIGXFSZ, Arc::default()).map_err(failed)?;
    Ok(())
}

/// Whether the program was started with this signal ignored, as `nohup` does with SIGHUP: it stays so. Only Linux tells.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// As shells have it of a program that a signal ended.
const fn exit_code(signal: usize) -> u8 {
    128 + signal as u8
}

/// Whether a signal asked work to stop.
pub fn interrupted() -> bool {
    interrupted_code().is_some()
}

/// The exit code if a signal asked work to stop.
pub fn interrupted_code() -> Option<u8> {
    let signal = INTERRUPTED.load(Ordering::SeqCst);
    (signal != 0).then(|| exit_code(signal))
}

/// Keeps signals from ending the program at once, where something is to be tidied up first.
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

    /// Says something beside the progress bar, on standard error.
    pub fn tell(&self, note: &str) {
        self.bar.suspend(|| screen::note(note));
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

/// An output that fails once a signal asked work to stop.
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
