//! The picture of a container's life, drawn from the table that a test has filled by
//! trying every verb in every status. `draw` writes it; `lint` finds one that is old.

use crate::book::Book;
use crate::finding::Finding;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

const TABLE: &str = "02-imageless/tests/lifecycle/transitions.txt";
const PICTURE: &str = "book/src/img/transitions.svg";

/// Where each status stands: its middle.
const PLACES: &[(&str, (f64, f64))] = &[
    ("created", (80.0, 150.0)),
    ("running", (350.0, 150.0)),
    ("paused", (350.0, 40.0)),
    ("stopped", (620.0, 150.0)),
    ("none", (350.0, 290.0)),
];

/// Half the width and half the height of a box.
const HALF: (f64, f64) = (60.0, 22.0);

/// How far an arrow bends to its left, so that it meets neither the one that
/// comes back nor a box.
const BENDS: &[((&str, &str), f64)] = &[(("created", "stopped"), -75.0)];
const BEND: f64 = 14.0;

/// Statuses, and the verbs that lead from the first to the second.
type Arrows = BTreeMap<(String, String), Vec<String>>;

/// Writes the picture.
///
/// # Errors
/// The table is missing, or is not one.
pub(crate) fn write(book: &Book) -> Result<()> {
    let file = book.root.join(PICTURE);
    fs::write(&file, drawn(book)?).with_context(|| PICTURE.to_owned())
}

/// Compares the picture with the table.
///
/// # Errors
/// The table is not one.
pub(crate) fn check(book: &Book) -> Result<Vec<Finding>> {
    // The lint's own tests have small books, about nothing.
    if !book.root.join(TABLE).exists() {
        return Ok(Vec::new());
    }
    let picture = fs::read_to_string(book.root.join(PICTURE));
    if picture.unwrap_or_default() == drawn(book)? {
        return Ok(Vec::new());
    }
    Ok(vec![Finding {
        place: format!("{PICTURE}:1"),
        what: format!("is not what {TABLE} says"),
        hint: "cargo xtask book draw",
    }])
}

fn drawn(book: &Book) -> Result<String> {
    let table = fs::read_to_string(book.root.join(TABLE));
    let table = table.with_context(|| TABLE.to_owned())?;
    svg(&arrows(&table)?)
}

/// Reads our column, the last. What is refused is no arrow; `--force` leads from
/// everywhere to the same place, which is said in words.
fn arrows(table: &str) -> Result<Arrows> {
    let mut arrows = Arrows::new();
    for line in table.lines().skip(1) {
        let words: Vec<_> = line.split_whitespace().collect();
        let [from, verb, .., to] = words[..] else {
            anyhow::bail!("{TABLE}: no row: {line}");
        };
        if words.contains(&"--force") {
            ensure!(to == "none", "{TABLE}: delete --force leads to {to}");
        } else if to != "refused" {
            let arrow = arrows.entry((from.to_owned(), to.to_owned()));
            arrow.or_default().push(verb.to_owned());
        }
    }
    Ok(arrows)
}

fn svg(arrows: &Arrows) -> Result<String> {
    let mut svg = String::from(HEAD);
    for ((from, to), verbs) in arrows {
        let (a, b) = (place(from)?, place(to)?);
        match from == to {
            true => inside(&mut svg, a, verbs)?,
            false => arrow(&mut svg, (a, b), bend(from, to), verbs)?,
        }
    }
    for (name, (x, y)) in PLACES {
        let word = if *name == "none" { "no container" } else { name };
        let (left, top) = (x - HALF.0, y - HALF.1);
        let dashes =
            if *name == "none" { " stroke-dasharray=\"5 4\"" } else { "" };
        writeln!(
            svg,
            "  <rect x=\"{left}\" y=\"{top}\" width=\"120\" height=\"44\" rx=\"8\" \
             fill=\"none\" stroke=\"#000\" stroke-width=\"1.5\"{dashes}/>\n  \
             <text x=\"{x}\" y=\"{}\">{word}</text>",
            y - 1.0,
        )?;
    }
    Ok(svg + TAIL)
}

/// A verb after which the status is the same stands in the box.
fn inside(
    svg: &mut String,
    (x, y): (f64, f64),
    verbs: &[String],
) -> Result<()> {
    let y = y + 15.0;
    let verbs = verbs.join(", ");
    writeln!(svg, "  <text class=\"verb\" x=\"{x}\" y=\"{y}\">{verbs}</text>")?;
    Ok(())
}

/// A curve from the edge of one box to the edge of the other, with the verbs at
/// its middle.
fn arrow(
    svg: &mut String,
    ((ax, ay), (bx, by)): ((f64, f64), (f64, f64)),
    bend: f64,
    verbs: &[String],
) -> Result<()> {
    let (dx, dy) = (bx - ax, by - ay);
    let length = dx.hypot(dy);
    // To the left of the way, as the reader looks at it: y grows downwards.
    let (nx, ny) = (dy / length, -dx / length);
    let (cx, cy) =
        (ax + dx / 2.0 + nx * 2.0 * bend, ay + dy / 2.0 + ny * 2.0 * bend);
    let (x1, y1) = edge((ax, ay), (cx, cy));
    let (x2, y2) = edge((bx, by), (cx, cy));
    // The middle of the curve, and a little further out.
    let side = 13.0 * bend.signum();
    let tx = (x1 + 2.0 * cx + x2) / 4.0 + nx * side;
    let ty = (y1 + 2.0 * cy + y2) / 4.0 + ny * side;
    let anchor = match nx * bend.signum() {
        n if n > 0.4 => "start",
        n if n < -0.4 => "end",
        _ => "middle",
    };
    writeln!(
        svg,
        "  <path d=\"M{x1:.0} {y1:.0} Q{cx:.0} {cy:.0} {x2:.0} {y2:.0}\" \
         fill=\"none\" stroke=\"#000\" stroke-width=\"1.5\" \
         marker-end=\"url(#tip)\"/>\n  \
         <text class=\"verb\" x=\"{tx:.0}\" y=\"{:.0}\" \
         text-anchor=\"{anchor}\">{}</text>",
        ty + 4.0,
        verbs.join(", "),
    )?;
    Ok(())
}

/// Where the way from the middle of a box to a point leaves the box.
fn edge((x, y): (f64, f64), (px, py): (f64, f64)) -> (f64, f64) {
    let (dx, dy) = (px - x, py - y);
    let part = |half: f64, way: f64| half / way.abs().max(1e-9);
    let part = part(HALF.0, dx).min(part(HALF.1, dy));
    (x + dx * part, y + dy * part)
}

fn bend(from: &str, to: &str) -> f64 {
    let found = BENDS.iter().find(|(arrow, _)| *arrow == (from, to));
    found.map_or(BEND, |(_, bend)| *bend)
}

fn place(status: &str) -> Result<(f64, f64)> {
    let found = PLACES.iter().find(|(name, _)| *name == status);
    let (_, place) = found.with_context(|| {
        format!("{TABLE}: no place in the picture for {status:?}")
    })?;
    Ok(*place)
}

const HEAD: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 350" font-family="sans-serif" font-size="15" text-anchor="middle" role="img">
  <title>The life of a container, as a run has shown it</title>
  <style>.verb { font-family: monospace; font-size: 13px }</style>
  <defs>
    <marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">
      <path d="M0 0 L10 5 L0 10 z"/>
    </marker>
  </defs>
  <rect width="700" height="350" fill="#fff"/>
"##;

const TAIL: &str = r##"  <text class="verb" x="350" y="338">delete --force: from each of them to no container</text>
</svg>
"##;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_no_arrow_and_what_changes_nothing_is_inside() {
        let table = "status verb runc imageless\n\
            created start running running\n\
            created exec created created\n\
            created resume refused refused\n";
        let arrows = arrows(table).unwrap();
        let keys = arrows.keys().map(|(a, b)| format!("{a} {b}"));
        let keys: Vec<_> = keys.collect();
        assert_eq!(keys, ["created created", "created running"]);
    }
}
