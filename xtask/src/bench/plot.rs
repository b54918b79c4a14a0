//! The plot of the book: for each lane a bar for each contender, as long as its
//! median, with a line over the middle half of its times.
//!
//! Drawn here, because bars are rectangles: a library for plots would bring
//! more than it draws.

use super::samples::{LaneResults, Results, Samples};
use std::fmt::Write;

const WIDTH: u32 = 720;
/// Where the bars begin, and the room that they have.
const LEFT: u32 = 150;
const ROOM: f64 = 440.0;
/// Height of a bar with its gap, and of a lane's heading.
const ROW: u32 = 24;
const HEADING: u32 = 34;

/// What stands on a bar, and how it is filled: ours stands out.
const OURS: (&str, &str) = ("imageless", "#2a6f97");
const OTHERS: &str = "#b8c4cc";

/// Draws all lanes, one below the other, each with a scale of its own.
pub(super) fn svg(results: &Results) -> String {
    let mut body = String::new();
    let mut y = 10;
    for lane in &results.lanes {
        y = draw_lane(&mut body, lane, y);
    }
    let height = y + 10;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n\
         <title>How long the runtimes take, median and middle half</title>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         {body}</svg>\n"
    )
}

/// Draws one lane from `y` down; tells where it ends.
fn draw_lane(body: &mut String, results: &LaneResults, y: u32) -> u32 {
    let longest = results.samples.iter().map(|one| one.percentile(75));
    let scale = ROOM / longest.fold(f64::MIN_POSITIVE, f64::max);
    let lane = results.lane;
    text(body, (10, y + 20), " font-weight=\"bold\"", lane.title());
    let mut y = y + HEADING;
    for one in &results.samples {
        draw_bar(body, one, y, scale);
        y += ROW;
    }
    y + 6
}

fn draw_bar(body: &mut String, one: &Samples, y: u32, scale: f64) {
    let [low, median, high] =
        [25, 50, 75].map(|hundredths| one.percentile(hundredths) * scale);
    let fill = if one.name.starts_with(OURS.0) { OURS.1 } else { OTHERS };
    text(body, (10, y + 13), "", &one.name);
    let (top, middle) = (y + 2, y + 9);
    let (left, right) = (f64::from(LEFT) + low, f64::from(LEFT) + high);
    // Writing to a String cannot fail.
    let _ = writeln!(
        body,
        "<rect x=\"{LEFT}\" y=\"{top}\" width=\"{median:.1}\" height=\"14\" \
         fill=\"{fill}\"/>\n\
         <path d=\"M{left:.1} {middle}H{right:.1}\" stroke=\"#222\" \
         stroke-width=\"2\"/>"
    );
    let end = (right.max(f64::from(LEFT) + median) + 8.0) as u32;
    let label = format!("{:.1} ms", one.percentile(50));
    text(body, (end, y + 13), "", &label);
}

fn text(body: &mut String, (x, y): (u32, u32), style: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    // Writing to a String cannot fail.
    let _ = writeln!(body, "<text x=\"{x}\" y=\"{y}\"{style}>{words}</text>");
}

#[cfg(test)]
mod tests {
    use super::super::lane::Lane;
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_bar_is_as_long_as_its_median_and_the_longest_fills_the_room() {
        let samples = |name: &str, ms: u64| {
            let times = vec![Duration::from_millis(ms); 4];
            Samples::new(name, times, None)
        };
        let samples = vec![samples("imageless 1", 5), samples("runc 1", 20)];
        let lanes = vec![LaneResults { lane: Lane::Run, samples }];
        let drawn = svg(&Results { machine: String::new(), lanes });
        assert!(
            drawn.contains("width=\"110.0\" height=\"14\" fill=\"#2a6f97\"")
        );
        assert!(
            drawn.contains("width=\"440.0\" height=\"14\" fill=\"#b8c4cc\"")
        );
    }
}
