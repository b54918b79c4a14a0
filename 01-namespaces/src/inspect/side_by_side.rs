//! How two processes are printed: the rows with the same key side by side, and
//! between them the marks of sdiff(1): `|` they differ, `<` only the first has
//! it, `>` only the second.

use super::page::{Row, Section, key_width};
use rustix::termios::tcgetwinsize;
use std::io::{IsTerminal, stdout};

/// Where nobody tells how wide a line may be.
const COLUMNS: usize = 100;

/// What is printed in one line, or more if it does not fit.
#[derive(Debug, PartialEq, Eq)]
struct Pair<'a> {
    key: &'a str,
    left: Option<&'a str>,
    right: Option<&'a str>,
}

/// Prints both, section by section.
pub(super) fn print(left: &[Section], right: &[Section]) -> String {
    let columns = columns();
    let mut text = String::new();
    for (left, right) in left.iter().zip(right) {
        let keys = key_width(left.rows.iter().chain(&right.rows));
        // Before and between the three columns stand seven characters.
        let width = columns.saturating_sub(keys + 7).max(40) / 2;
        text += &format!("{}\n", left.title);
        for pair in pairs(&left.rows, &right.rows) {
            text += &pair.print(keys, width);
        }
    }
    text
}

fn columns() -> usize {
    let size = Some(stdout()).filter(IsTerminal::is_terminal);
    let size = size.and_then(|stdout| tcgetwinsize(stdout).ok());
    match size.map(|size| usize::from(size.ws_col)) {
        Some(0) | None => COLUMNS,
        Some(columns) => columns,
    }
}

/// Finds for each row of the first the next one of the second with that key;
/// what then is left of the second comes last.
fn pairs<'a>(left: &'a [Row], right: &'a [Row]) -> Vec<Pair<'a>> {
    let mut rest: Vec<&Row> = right.iter().collect();
    let mut pairs = Vec::new();
    for Row { key, value } in left {
        let same = rest.iter().position(|row| row.key == *key);
        let right = same.map(|at| rest.remove(at).value.as_str());
        pairs.push(Pair { key, left: Some(value), right });
    }
    pairs.extend(rest.into_iter().map(|Row { key, value }| Pair {
        key,
        left: None,
        right: Some(value),
    }));
    pairs
}

impl Pair<'_> {
    fn mark(&self) -> char {
        match (self.left, self.right) {
            (Some(left), Some(right)) if left == right => ' ',
            (Some(_), Some(_)) => '|',
            (Some(_), None) => '<',
            (None, _) => '>',
        }
    }

    fn print(&self, keys: usize, width: usize) -> String {
        let (mut key, mark) = (self.key, self.mark());
        let left = wrap(self.left.unwrap_or_default(), width);
        let right = wrap(self.right.unwrap_or_default(), width);
        let mut text = String::new();
        if key.chars().count() > keys {
            text += &format!("  {key}\n");
            key = "";
        }
        for at in 0..left.len().max(right.len()) {
            let part = |lines: &[String]| lines.get(at).cloned();
            let left = part(&left).unwrap_or_default();
            let right = part(&right).unwrap_or_default();
            let line = format!("  {key:keys$}  {left:width$} {mark} {right}");
            text += &format!("{}\n", line.trim_end());
            key = "";
        }
        text
    }
}

/// Divides a text into lines, behind a space or a comma where there is one.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive([' ', ',']) {
        let mut rest = word.to_owned();
        loop {
            let line = lines.last_mut().expect("it begins with one");
            let there = line.chars().count();
            let fits = there + rest.trim_end().chars().count() <= width;
            if fits {
                line.push_str(&rest);
                break;
            }
            if there == 0 {
                *line = rest.chars().take(width).collect();
                rest = rest.chars().skip(width).collect();
            }
            lines.push(String::new());
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::page::row;

    #[test]
    fn each_row_stands_beside_the_one_with_its_key() {
        let left = [row("a", "1"), row("m", "x"), row("m", "y"), row("b", "2")];
        let right = [row("m", "x"), row("b", "3"), row("c", "4")];
        let seen: Vec<_> = pairs(&left, &right)
            .iter()
            .map(|pair| format!("{}{}", pair.key, pair.mark()))
            .collect();
        assert_eq!(seen, ["a<", "m ", "m<", "b|", "c>"]);
    }

    #[test]
    fn what_is_too_long_goes_on_below() {
        assert_eq!(wrap("ab cd,ef", 5), ["ab", "cd,ef"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 3), [""]);
        let pair = Pair { key: "k", left: Some("a b"), right: Some("c") };
        assert_eq!(pair.print(1, 2), "  k  a  | c\n     b  |\n");
    }
}
