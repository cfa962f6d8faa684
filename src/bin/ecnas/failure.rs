//! What goes wrong, as one line with a hint and an exit code.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::ExitCode;

use ecnas::benchmark::BenchmarkError;
use ecnas::cache::CacheError;
use ecnas::export::ExportError;
use ecnas::import::ImportError;
use ecnas::import::tfrecord::WriteTfRecordError;
use ecnas::plot::PlotError;
use ecnas::query::{QueryError, RecipeError};
use ecnas::snapshot::SnapshotError;
use ecnas::store::StoreError;
use ecnas::{IngestError, SealError};

use crate::screen;
use crate::work;

/// An error with its causes, which stand in front of the advice that its text ends with.
pub fn explain(error: &dyn Error) -> String {
    let text = error.to_string();
    let mut causes = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes += &format!(": {error}");
        cause = error.source();
    }
    match text.rsplit_once("; ") {
        Some((what, advice)) => format!("{what}{causes}; {advice}"),
        None => text + &causes,
    }
}

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// An error in data or files. The message says what was expected and what to do.
    pub fn error(message: impl ToString) -> Self {
        Self {
            message: message.to_string(),
            code: 1,
        }
    }

    /// An error of the library, with its causes.
    pub fn of(error: impl Error) -> Self {
        Self::error(explain(&error))
    }

    /// A command line that makes no sense.
    pub fn usage(message: impl ToString) -> Self {
        Self {
            code: 2,
            ..Self::error(message)
        }
    }

    /// Something that was named is not there.
    pub fn not_found(message: impl ToString) -> Self {
        Self {
            code: 3,
            ..Self::error(message)
        }
    }

    /// Adds what to do, unless the message says so already.
    pub fn hint(mut self, hint: &str) -> Self {
        if !hint.is_empty() && !self.message.contains("; ") {
            self.message = format!("{}; hint: {hint}", self.message);
        }
        self
    }

    /// Says in which file.
    pub fn within(mut self, path: &Path) -> Self {
        self.message = format!("{}: {}", path.display(), self.message);
        self
    }

    /// Writes the line to standard error and gives the exit code. A reader that closed the pipe wants no more: no error.
    pub fn report(self) -> ExitCode {
        let code = work::interrupted_code().unwrap_or(self.code);
        if code != 0 {
            screen::error(&self.message);
        }
        ExitCode::from(code)
    }
}

/// What to do about an error of the operating system.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => "check the path",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "ask for the permission, or choose another folder"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "free some space, or choose another disk"
        }
        ErrorKind::OutOfMemory => "raise the limit on memory (`ulimit -v`), or use another machine",
        _ => "check the path and the medium it is on",
    }
}

/// An error of standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let failure = Self::error(format!("cannot write the output: {error}"));
        match error.kind() {
            _ if work::interrupted() => failure,
            ErrorKind::BrokenPipe => Self { code: 0, ..failure },
            _ => failure.hint(advice(&error)),
        }
    }
}

impl From<csv::Error> for Failure {
    fn from(error: csv::Error) -> Self {
        match error.into_kind() {
            csv::ErrorKind::Io(error) => error.into(),
            other => Self::error(format!("cannot write the output as CSV: {other:?}")),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        io::Error::from(error).into()
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        let text = explain(&error);
        let inner = match &error {
            SnapshotError::In { error, .. } => error,
            error => error,
        };
        match inner {
            SnapshotError::NoSuchTable { .. } | SnapshotError::NoSuchCell { .. } => {
                Self::not_found(text)
            }
            SnapshotError::NoSuchBudget { .. } | SnapshotError::NoSuchColumn { .. } => {
                Self::not_found(text)
            }
            SnapshotError::Ambiguous { .. } => Self::usage(text).hint("name one with --table"),
            SnapshotError::Io { source, .. } => Self::error(text).hint(advice(source)),
            // What it is instead says what to do.
            SnapshotError::NotASnapshot { found } if found.contains('(') => Self::error(text),
            SnapshotError::NotASnapshot { .. } => Self::error(text)
                .hint("`ecnas recipe FILE` takes released files; import and seal others"),
            _ => Self::error(text),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let text = explain(&error);
        match &error {
            StoreError::NoSuchTable { .. } => Self::not_found(text),
            StoreError::Io { source, .. } => Self::error(text).hint(advice(source)),
            StoreError::NotAStore { .. } => {
                Self::error(text).hint("name another file; a new store needs no file at all")
            }
            StoreError::BadName { .. } => Self::usage(text).hint("name the table with --table"),
            _ => Self::error(text),
        }
    }
}

impl From<IngestError> for Failure {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Store(error) => error.into(),
            other => Self::of(other),
        }
    }
}

impl From<BenchmarkError> for Failure {
    fn from(error: BenchmarkError) -> Self {
        match error {
            BenchmarkError::Snapshot(error) => error.into(),
            other => Self::of(other),
        }
    }
}

impl From<CacheError> for Failure {
    fn from(error: CacheError) -> Self {
        Self::of(error)
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        Self::of(error)
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Store(error) => error.into(),
            SealError::Snapshot(error) => error.into(),
            other => Self::of(other),
        }
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Snapshot(error) => error.into(),
            QueryError::Index(_) => Self::of(error),
            QueryError::TwoScales { .. } => {
                Self::usage(error).hint("--scale trials, or --scale estimates")
            }
            other => Self::usage(explain(&other)),
        }
    }
}

impl From<RecipeError> for Failure {
    fn from(error: RecipeError) -> Self {
        match error {
            RecipeError::Snapshot(error) => error.into(),
            RecipeError::Query(error) => error.into(),
            RecipeError::Carbon(_)
            | RecipeError::ReferenceOnOtherScale { .. }
            | RecipeError::ToleratedLoss { .. }
            | RecipeError::IncompletePoint { .. } => Self::usage(explain(&error)),
            other => Self::of(other),
        }
    }
}

impl From<PlotError> for Failure {
    fn from(error: PlotError) -> Self {
        match error {
            PlotError::Snapshot(error) => error.into(),
            PlotError::Query(error) => error.into(),
            PlotError::Recipe(error) => error.into(),
            other => Self::of(other),
        }
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Snapshot(error) => error.into(),
            ExportError::Io(error) => error.into(),
            other => Self::of(other),
        }
    }
}

impl From<WriteTfRecordError<SnapshotError>> for Failure {
    fn from(error: WriteTfRecordError<SnapshotError>) -> Self {
        match error {
            WriteTfRecordError::Trials(error) => error.into(),
            WriteTfRecordError::Io(error) => error.into(),
            other => Self::of(other),
        }
    }
}
