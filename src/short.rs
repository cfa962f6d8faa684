//! Long lists in messages and in `Debug`, cut short.

use std::fmt::{self, Debug, Display};

/// How many items of a list are shown.
const SHOWN: usize = 16;

/// A list as text: its items between quotation marks, the first of them where there are many.
pub(crate) fn listed<T: Display>(items: &[T], quote: &str) -> String {
    let Some(shown) = items.get(..SHOWN) else {
        let all: Vec<_> = items
            .iter()
            .map(|item| format!("{quote}{item}{quote}"))
            .collect();
        return if all.is_empty() {
            "none".to_owned()
        } else {
            all.join(", ")
        };
    };
    let mut text = String::new();
    for item in shown {
        text += &format!("{quote}{item}{quote}, ");
    }
    match items.len() - SHOWN {
        0 => text.trim_end_matches(", ").to_owned(),
        more => format!("{text}… and {} more", thousands(more)),
    }
}

/// A number with commas between thousands.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A list whose `Debug` shows its first items and how many more there are.
pub(crate) struct Short<'a, T>(pub &'a [T]);

impl<T: Debug> Debug for Short<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = self.0.len().saturating_sub(SHOWN);
        let mut list = f.debug_list();
        list.entries(self.0.iter().take(SHOWN));
        if more > 0 {
            list.entry(&format_args!("… and {} more", thousands(more)));
        }
        list.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_say_how_much_they_leave_out() {
        assert_eq!(listed::<String>(&[], "`"), "none");
        assert_eq!(listed(&["a", "b"], "`"), "`a`, `b`");
        let all: Vec<_> = (1..=16).collect();
        assert!(listed(&all, "").ends_with("15, 16"));
        let many: Vec<_> = (1..=9_996).collect();
        assert!(listed(&many, "").ends_with("15, 16, … and 9,980 more"));
        let text = format!("{:?}", Short(&many));
        assert!(
            text.starts_with("[1, 2,") && text.ends_with("… and 9,980 more]"),
            "{text}"
        );
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(999), "999");
    }
}
