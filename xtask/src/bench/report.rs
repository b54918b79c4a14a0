//! Numbers into a table: median and quartiles, because one run beside a busy
//! neighbour must not move the result.

use super::samples::{LaneResults, Results, Samples};

/// Ours: what the others are compared with.
const OURS: &str = "imageless";

/// The machine, then a part for each lane and a line for each contender; as the
/// book takes it, no wider than 80 columns and no longer than 30 lines.
pub(super) fn table(results: &Results) -> String {
    let mut lines = vec![format!("machine: {}", results.machine)];
    for (i, lane) in results.lanes.iter().enumerate() {
        if i > 0 {
            lines.push(String::new());
        }
        lines.extend(part(lane));
    }
    lines.push(format!("times in ms; x: the median as a multiple of {OURS}'s"));
    lines.join("\n") + "\n"
}

fn part(results: &LaneResults) -> Vec<String> {
    let (lane, samples) = (results.lane, &results.samples);
    let turns = samples.first().map_or(0, Samples::count);
    let mut lines = vec![
        format!("{}: {} ({turns} turns each)", lane.name(), lane.title()),
        format!(
            "{:<17}{:>8} {:>15} {:>17} {:>9}",
            "",
            "median",
            "quartiles",
            "min .. max",
            lane.memory()
        ),
    ];
    let ours = samples.iter().find(|one| one.name.starts_with(OURS));
    lines.extend(samples.iter().map(|one| line(one, ours)));
    lines
}

fn line(one: &Samples, ours: Option<&Samples>) -> String {
    let [min, low, median, high, max] =
        [0, 25, 50, 75, 100].map(|hundredths| one.percentile(hundredths));
    let ratio = match ours {
        Some(ours) if ours != one => {
            format!("{:>6.2} x", median / ours.percentile(50))
        }
        Some(_) | None => String::new(),
    };
    let memory = one.memory_kib.map_or("-".into(), |kib| {
        format!("{:.1} MB", kib as f64 * 1024.0 / 1e6)
    });
    format!(
        "{:<17}{:>8} {:>15} {:>17} {memory:>9}{ratio}",
        one.name,
        shown(median),
        format!("{} .. {}", shown(low), shown(high)),
        format!("{} .. {}", shown(min), shown(max)),
    )
}

/// As many digits as say something.
fn shown(millis: f64) -> String {
    if millis < 100.0 { format!("{millis:.2}") } else { format!("{millis:.0}") }
}

#[cfg(test)]
mod tests {
    use super::super::lane::Lane;
    use super::*;
    use std::time::Duration;

    fn samples(name: &str, millis: &[u64]) -> Samples {
        let times = millis.iter().map(|ms| Duration::from_millis(*ms));
        Samples::new(name, times.collect(), Some(2048))
    }

    #[test]
    fn every_other_one_is_shown_as_a_multiple_of_ours() {
        let samples = vec![
            samples("imageless 0.1.0", &[10, 10, 10]),
            samples("runc 1.1.5", &[1030, 1031, 1032]),
        ];
        let lines = part(&LaneResults { lane: Lane::Run, samples });
        assert!(lines[2].ends_with("2.1 MB"), "{}", lines[2]);
        assert!(lines[3].ends_with("103.10 x"), "{}", lines[3]);
        assert!(lines.iter().all(|line| line.len() <= 80), "{lines:#?}");
    }
}
