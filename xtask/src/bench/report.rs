//! Numbers into a table: median and quartiles, because one run beside a busy
//! neighbour must not move the result.

use anyhow::{Context, Result};
use nix::sys::utsname::uname;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

/// Ours: what the others are compared with.
const OURS: &str = "imageless";

/// What was seen of one contender.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Measurement {
    name: String,
    /// Sorted, never empty.
    times: Vec<Duration>,
    peak_kib: u64,
}

impl Measurement {
    /// Sorts the samples.
    pub(super) fn new(
        name: &str,
        mut times: Vec<Duration>,
        peak_kib: u64,
    ) -> Measurement {
        times.sort_unstable();
        Measurement { name: name.to_owned(), times, peak_kib }
    }

    /// One JSON array: the way from the measuring process to this one.
    pub(super) fn all_to_json(all: &[Measurement]) -> Value {
        let one = |m: &Measurement| {
            let times: Vec<_> =
                m.times.iter().map(|t| t.as_micros() as u64).collect();
            json!({ "name": m.name, "micros": times, "peak_kib": m.peak_kib })
        };
        all.iter().map(one).collect()
    }

    /// Reads what [`Measurement::all_to_json`] wrote.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn all_from_json(text: &str) -> Result<Vec<Measurement>> {
        let value: Value = serde_json::from_str(text).context("samples")?;
        let one = |value: &Value| -> Option<Measurement> {
            let micros = value["micros"].as_array()?.iter();
            let times =
                micros.map(|m| Some(Duration::from_micros(m.as_u64()?)));
            let times = times.collect::<Option<Vec<_>>>()?;
            let name = value["name"].as_str()?;
            let peak = value["peak_kib"].as_u64()?;
            (!times.is_empty()).then(|| Measurement::new(name, times, peak))
        };
        let all = value.as_array().into_iter().flatten().map(one);
        all.collect::<Option<_>>().context("samples of another shape")
    }

    /// The sample below which this many hundredths of all samples lie, in ms.
    fn percentile(&self, hundredths: usize) -> f64 {
        let last = self.times.len() - 1;
        let at = (last * hundredths + 50) / 100;
        self.times[at].as_secs_f64() * 1e3
    }
}

/// Prints the machine, then one line a contender.
pub(super) fn print(all: &[Measurement], runs: u32) {
    println!("\nmachine: {}", machine());
    println!("a static true in runc's default config.json, {runs} runs each\n");
    table(all).iter().for_each(|line| println!("{line}"));
}

fn table(all: &[Measurement]) -> Vec<String> {
    let ours = all.iter().find(|m| m.name.starts_with(OURS));
    let head = ["median", "quartiles", "min .. max", "peak RSS"];
    let mut lines = vec![format!(
        "{:<17}{:>8} {:>14} {:>15} {:>10}",
        "times in ms", head[0], head[1], head[2], head[3]
    )];
    for m in all {
        let [min, low, median, high, max] =
            [0, 25, 50, 75, 100].map(|hundredths| m.percentile(hundredths));
        let ratio = ours.map(|ours| median / ours.percentile(50));
        let ratio = match ratio {
            Some(ratio) if ours != Some(m) => format!("{ratio:>6.2} x"),
            _ => String::new(),
        };
        lines.push(format!(
            "{:<17}{median:>8.2} {:>14} {:>15} {:>7.1} MB{ratio}",
            m.name,
            format!("{low:.2} .. {high:.2}"),
            format!("{min:.2} .. {max:.2}"),
            m.peak_kib as f64 * 1024.0 / 1e6,
        ));
    }
    lines.push(format!("x: the median as a multiple of {OURS}'s"));
    lines
}

/// What the numbers belong to. The load tells whether others were at work.
fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let value = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key));
        let value = line.and_then(|line| line.split_once(':'));
        value.map_or("?".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let cpus = read("/proc/cpuinfo");
    let count =
        cpus.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = uname().map_or("?".into(), |names| {
        names.release().to_string_lossy().into_owned()
    });
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("?");
    let model = value(&cpus, "model name");
    format!("{count} x {model}, Linux {kernel}, load {load}")
}

#[cfg(test)]
mod tests {
    use super::{Measurement, table};
    use std::time::Duration;

    fn measurement(name: &str, millis: &[u64]) -> Measurement {
        let times = millis.iter().map(|ms| Duration::from_millis(*ms));
        Measurement::new(name, times.collect(), 2048)
    }

    #[test]
    fn one_slow_run_does_not_move_the_median() {
        let samples = measurement("x", &[5, 4, 900, 6, 5]);
        assert_eq!(samples.percentile(50), 5.0);
        assert_eq!(samples.percentile(100), 900.0);
        assert_eq!(samples.percentile(0), 4.0);
    }

    #[test]
    fn every_other_one_is_shown_as_a_multiple_of_ours() {
        let all = [
            measurement("imageless 0.1.0", &[10, 10, 10]),
            measurement("runc 1.1.5", &[30, 31, 32]),
        ];
        let lines = table(&all);
        assert!(lines[1].ends_with("2.1 MB"), "{}", lines[1]);
        assert!(lines[2].ends_with("3.10 x"), "{}", lines[2]);
        assert!(lines.iter().all(|line| line.len() <= 80));
    }

    #[test]
    fn samples_survive_the_way_between_processes() {
        let all = [measurement("a", &[1, 2]), measurement("b", &[3])];
        let text = Measurement::all_to_json(&all).to_string();
        assert_eq!(Measurement::all_from_json(&text).unwrap(), all);
    }

    #[test]
    fn a_contender_without_samples_is_refused() {
        let text = r#"[{"name": "a", "micros": [], "peak_kib": 1}]"#;
        assert!(Measurement::all_from_json(text).is_err());
        assert!(Measurement::all_from_json("[7]").is_err());
        assert!(Measurement::all_from_json("").is_err());
    }
}
