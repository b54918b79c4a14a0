//! How one process is printed: sections of rows, a key and what is said of it.

/// What belongs together.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) key: String,
    pub(super) value: String,
}

/// Makes a row. A process chooses its own name and its own paths: what would
/// steer the reader's terminal is written as an escape.
pub(super) fn row(key: impl AsRef<str>, value: impl AsRef<str>) -> Row {
    Row { key: harmless(key.as_ref()), value: harmless(value.as_ref()) }
}

fn harmless(text: &str) -> String {
    let mut harmless = String::new();
    for char in text.chars() {
        match char.is_control() {
            true => harmless.extend(char.escape_default()),
            false => harmless.push(char),
        }
    }
    harmless
}

/// Prints sections below each other, the values of each in one column.
pub(super) fn print(sections: &[Section]) -> String {
    let mut text = String::new();
    for Section { title, rows } in sections {
        text += &format!("{title}\n");
        let width = key_width(rows);
        for Row { key, value } in rows {
            let line = format!("  {key:width$}  {value}");
            text += &format!("{}\n", line.trim_end());
        }
    }
    text
}

/// Gives the width of the longest key, within reason: a path can be long.
pub(super) fn key_width<'a>(rows: impl IntoIterator<Item = &'a Row>) -> usize {
    const REASON: usize = 24;
    let widths = rows.into_iter().map(|row| row.key.chars().count());
    widths.max().unwrap_or_default().min(REASON)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_one_column() {
        let rows = vec![row("a", "1"), row("long", "2"), row("none", "")];
        let section = Section { title: "title".into(), rows };
        let text = "title\n  a     1\n  long  2\n  none\n";
        assert_eq!(print(&[section]), text);
    }

    #[test]
    fn a_process_cannot_steer_the_terminal() {
        let evil = row("\u{1b}[2J", "a\nb é");
        assert_eq!((&*evil.key, &*evil.value), (r"\u{1b}[2J", r"a\nb é"));
    }
}
