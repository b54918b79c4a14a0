//! Source text without what only looks like code: comments, strings and
//! characters become blanks, so that a rule can search for words.

/// Blanks out comments and literals; line numbers stay as they are.
pub(crate) fn code_only(text: &str) -> String {
    let mut rest = text;
    let mut code = String::with_capacity(text.len());
    while let Some(first) = rest.chars().next() {
        let skipped = length_of_non_code(rest, code.chars().last());
        let taken = if skipped > 0 { skipped } else { first.len_utf8() };
        let (piece, after) = rest.split_at(taken);
        match skipped {
            0 => code.push_str(piece),
            _ => code.extend(piece.chars().map(blank)),
        }
        rest = after;
    }
    code
}

fn blank(c: char) -> char {
    if c == '\n' { '\n' } else { ' ' }
}

/// The bytes of the comment or literal at the start of `rest`; 0 if it is code.
fn length_of_non_code(rest: &str, before: Option<char>) -> usize {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        rest.find("*/").map_or(rest.len(), |end| end + 2)
    } else if rest.starts_with('"') {
        quoted(rest, '"').unwrap_or(rest.len())
    } else if rest.starts_with('r') && !in_word {
        raw_string(rest).unwrap_or(0)
    } else if rest.starts_with('\'') {
        character(rest)
    } else {
        0
    }
}

/// The length up to and with the closing quote, over escaped ones.
fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    rest.char_indices().skip(1).find_map(|(at, c)| {
        let closes = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at + 1)
    })
}

fn raw_string(rest: &str) -> Option<usize> {
    let hashes = rest[1..].find(|c| c != '#')?;
    let body = rest[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(1 + hashes + 1 + body.find(&end)? + end.len())
}

/// A character literal, or nothing for a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => quoted(rest, '\'').unwrap_or(0),
        (Some(c), Some('\'')) => c.len_utf8() + 2,
        _ => 0,
    }
}

#[test]
fn comments_and_literals_are_blank_and_lines_stay() {
    let text =
        "a(); // sleep(1)\n/* b\n */ c(\"sleep(2) \\\" d\", 'x', '\\'');";
    let code = code_only(text);
    assert_eq!(code.lines().count(), 3);
    assert!(code.contains("a();") && code.contains("c("), "{code}");
    assert!(!code.contains("sleep") && !code.contains(['b', 'd', 'x']));
}

#[test]
fn raw_strings_are_blank_and_lifetimes_are_code() {
    let code = code_only("r#\"unsafe \" {\"# ; for<'a> fn(&'a str) ; r\"x\" ;");
    assert!(!code.contains("unsafe") && !code.contains('x'), "{code}");
    assert!(code.contains("for<'a> fn(&'a str)"), "{code}");
}

#[test]
fn a_word_that_ends_in_r_does_not_begin_a_raw_string() {
    assert!(code_only("for x in r { bar(\"\") }").contains("in r { bar("));
}
