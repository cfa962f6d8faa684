//! Where text leaves the program: nothing else writes to standard output or standard error.
//!
//! Devices, licences, names of columns, models and files come from whoever made a file. A terminal obeys the control
//! characters among them, and shows text after a bidirectional mark in another order. Such characters are written
//! visibly here, as `\u{1b}`, so that no command can forget it.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Write};

use unicode_width::UnicodeWidthStr;

use crate::failure::Failure;

/// Columns of tables where no terminal says how many it has.
const USUAL_WIDTH: usize = 100;

/// The narrowest and the widest screen that text is laid out for.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=1000;

/// The width that `COLUMNS` or else the terminal states.
fn stated_width() -> Option<usize> {
    let columns = std::env::var("COLUMNS").ok();
    let columns = columns.and_then(|columns| columns.trim().parse().ok());
    let terminal = || Some(usize::from(console::Term::stdout().size_checked()?.1));
    let stated = columns.filter(|&columns| columns > 0).or_else(terminal)?;
    Some(stated.clamp(*WIDTHS.start(), *WIDTHS.end()))
}

/// Columns of text: those of `COLUMNS`, of the terminal, or 100.
pub fn width() -> usize {
    stated_width().unwrap_or(USUAL_WIDTH)
}

/// Whether a terminal would obey the character, or show what follows it in another order.
const fn acts(character: char) -> bool {
    matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}')
}

/// A text in which all characters that terminals obey are visible, but for ends of lines.
pub fn visible(text: &str) -> Cow<'_, str> {
    replace(
        text,
        |c| acts(c) && c != '\n',
        |c| c.escape_default().to_string(),
    )
}

/// As [`visible`], in one line.
pub fn one_line(text: &str) -> Cow<'_, str> {
    replace(text, acts, |c| c.escape_default().to_string())
}

fn replace(
    text: &str,
    is_replaced: impl Fn(char) -> bool,
    with: impl Fn(char) -> String,
) -> Cow<'_, str> {
    if !text.contains(&is_replaced) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_replaced(character) {
            visible += &with(character);
        } else {
            visible.push(character);
        }
    }
    Cow::Owned(visible)
}

/// What is written.
#[derive(Clone, Copy)]
enum Form {
    /// For people, in lines of so many columns if a width is stated.
    Text(Option<usize>),
    /// Characters are escaped as JSON escapes them.
    Json,
    /// As it is.
    Raw,
}

impl Form {
    fn of(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Text(None) => visible(text),
            Self::Text(Some(width)) => {
                let text = visible(text);
                let lines: Vec<_> = text.split('\n').map(|line| wrap(line, width)).collect();
                Cow::Owned(lines.join("\n"))
            }
            Self::Json => replace(
                text,
                |c| acts(c) && c != '\n',
                |c| format!("\\u{:04x}", u32::from(c)),
            ),
            Self::Raw => Cow::Borrowed(text),
        }
    }
}

/// An output that makes control characters visible, whole lines at a time.
struct Screen<W: Write> {
    out: BufWriter<W>,
    form: Form,
    /// The line that has not ended yet.
    line: Vec<u8>,
}

impl<W: Write> Screen<W> {
    fn new(out: W, form: Form) -> Self {
        let (out, line) = (BufWriter::new(out), Vec::new());
        Self { out, form, line }
    }

    fn write_line(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        self.out.write_all(self.form.of(&text).as_bytes())
    }
}

impl<W: Write> Write for Screen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Form::Raw = self.form {
            return self.out.write(bytes);
        }
        let ended = bytes.iter().rposition(|&byte| byte == b'\n');
        let (lines, rest) = bytes.split_at(ended.map_or(0, |at| at + 1));
        if !lines.is_empty() {
            self.line.extend_from_slice(lines);
            self.write_line()?;
        }
        self.line.extend_from_slice(rest);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_line()?;
        self.out.flush()
    }
}

impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        // Who wants to know whether it worked flushes.
        let _ = self.write_line();
    }
}

/// Standard output for people. Long lines are wrapped if `COLUMNS` or a terminal states a width.
pub fn page() -> impl Write {
    Screen::new(io::stdout().lock(), Form::Text(stated_width()))
}

/// Standard output for JSON.
pub fn json() -> impl Write {
    Screen::new(io::stdout().lock(), Form::Json)
}

/// Standard output for answers as CSV.
pub fn csv() -> impl Write {
    Screen::new(io::stdout().lock(), Form::Text(None))
}

/// Standard output for a CSV file that is to be read back as it was: as it is, but on a terminal.
pub fn csv_file() -> impl Write {
    let form = match io::stdout().is_terminal() {
        true => Form::Text(None),
        false => Form::Raw,
    };
    Screen::new(io::stdout().lock(), form)
}

/// Standard output for bytes, which no terminal should get.
///
/// # Errors
/// It is a terminal.
pub fn bytes() -> Result<impl Write, Failure> {
    let out = io::stdout();
    if out.is_terminal() {
        return Err(Failure::usage(
            "expected a file or a pipe to write this format to, found a terminal; name a file with --output",
        ));
    }
    Ok(Screen::new(out.lock(), Form::Raw))
}

/// Says on standard error, in one line, what people should know besides the answer.
pub fn note(text: impl ToString) {
    complain(&format!("note: {}", in_one_line(&text.to_string())));
}

/// Says on standard error, in one line, why there is no answer.
pub fn error(text: &str) {
    complain(&format!("error: {}", in_one_line(text)));
}

/// Writes lines to standard error.
pub fn complain(text: &str) {
    // There is no place to say that it failed.
    let _ = writeln!(io::stderr().lock(), "{}", visible(text));
}

fn in_one_line(text: &str) -> String {
    text.split('\n')
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Breaks a line at spaces. What follows begins below the text of the first line: where its label's gap ends, if it has
/// one.
fn wrap(line: &str, width: usize) -> Cow<'_, str> {
    if line.width() <= width {
        return Cow::Borrowed(line);
    }
    let start = line.len() - line.trim_start().len();
    let label = line.get(start..).and_then(|text| text.find("  "));
    let label = label.map_or(0, |at| start + at);
    let gap = line
        .get(label..)
        .map_or(0, |rest| rest.len() - rest.trim_start().len());
    let hang = if label > 0 && (label + gap) * 3 <= width {
        label + gap
    } else {
        start
    };
    let (head, text) = line.split_at_checked(hang).unwrap_or(("", line));
    let mut wrapped = head.to_owned();
    for (number, part) in fold(text, width - hang).into_iter().enumerate() {
        if number > 0 {
            wrapped += &format!("\n{:hang$}", "");
        }
        wrapped += part.trim_end();
    }
    Cow::Owned(wrapped)
}

/// Parts of a text of up to so many columns, divided at spaces. A longer word stays whole.
pub fn fold(text: &str, width: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut end) = (0, 0);
    for word in text.split(' ') {
        let word_start = word.as_ptr() as usize - text.as_ptr() as usize;
        let word_end = word_start + word.len();
        let line = text.get(start..word_end).unwrap_or_default();
        if end > start && line.width() > width {
            parts.push(text.get(start..end).unwrap_or_default());
            start = word_start;
        }
        end = word_end;
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn written(form: Form, pieces: &[&[u8]]) -> String {
        let mut out = Vec::new();
        let mut screen = Screen::new(&mut out, form);
        for piece in pieces {
            screen.write_all(piece).unwrap();
        }
        drop(screen);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_a_terminal_obeys_is_visible_in_every_form() {
        let text = "a\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{2066}\u{2028}ä\n";
        let plain = r"a\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{2066}\u{2028}ä".to_owned() + "\n";
        let json = r"a\u001b[2J\u007f\u009b\u202e\u2066\u2028ä".to_owned() + "\n";
        assert_eq!(written(Form::Text(None), &[text.as_bytes()]), plain);
        assert_eq!(written(Form::Text(Some(80)), &[text.as_bytes()]), plain);
        assert_eq!(written(Form::Json, &[text.as_bytes()]), json);
        assert_eq!(one_line("a\nb\tc\r"), r"a\nb\tc\r");
    }

    #[test]
    fn a_character_that_is_written_in_two_pieces_is_one() {
        let bytes = "ä\u{9b}z".as_bytes();
        let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(written(Form::Text(None), &pieces), r"ä\u{9b}z");
        assert_eq!(written(Form::Text(None), &[b"\xff\x1b"]), "\u{fffd}\\u{1b}");
    }

    #[test]
    fn long_lines_are_wrapped_below_their_text() {
        let wrapped = wrap("  origin   one two three four five", 33);
        assert_eq!(wrapped, "  origin   one two three four\n           five");
        assert_eq!(wrap("one two three", 7), "one two\nthree");
        assert_eq!(wrap("  note: one two", 12), "  note: one\n  two");
        assert_eq!(wrap("onetwothree", 5), "onetwothree");
        assert_eq!(fold("", 5), [""]);
    }
}
