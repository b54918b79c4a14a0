//! What was seen: times and memory of each contender in each lane; and its way
//! as JSON from the measuring process to ours.

use super::lane::Lane;
use anyhow::{Context, Result};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::time::Duration;

/// All that one call has seen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Results {
    /// What the numbers belong to.
    pub(super) machine: String,
    pub(super) lanes: Vec<LaneResults>,
}

/// Everybody in one lane, in the order of the contenders.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LaneResults {
    pub(super) lane: Lane,
    pub(super) samples: Vec<Samples>,
}

/// One contender in one lane.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Samples {
    pub(super) name: String,
    /// Sorted, never empty.
    times: Vec<Duration>,
    /// What the lane calls memory, if it can be told of this one.
    pub(super) memory_kib: Option<u64>,
}

impl Samples {
    /// Sorts the times.
    pub(super) fn new(
        name: &str,
        mut times: Vec<Duration>,
        memory_kib: Option<u64>,
    ) -> Samples {
        times.sort_unstable();
        Samples { name: name.to_owned(), times, memory_kib }
    }

    /// The time below which this many hundredths of all times lie, in ms.
    pub(super) fn percentile(&self, hundredths: usize) -> f64 {
        let last = self.times.len() - 1;
        let at = (last * hundredths + 50) / 100;
        self.times[at].as_secs_f64() * 1e3
    }

    /// How many times there are.
    pub(super) fn count(&self) -> usize {
        self.times.len()
    }

    fn to_json(&self) -> Value {
        let micros: Vec<_> =
            self.times.iter().map(|time| time.as_micros() as u64).collect();
        json!({
            "name": self.name, "micros": micros, "memory_kib": self.memory_kib
        })
    }

    fn from_json(value: &Value) -> Option<Samples> {
        let micros = value["micros"].as_array()?.iter();
        let times = micros.map(|m| Some(Duration::from_micros(m.as_u64()?)));
        let times = times.collect::<Option<Vec<_>>>()?;
        let (name, memory) = (value["name"].as_str()?, &value["memory_kib"]);
        (!times.is_empty()).then(|| Samples::new(name, times, memory.as_u64()))
    }
}

impl LaneResults {
    fn to_json(&self) -> Value {
        let samples: Value =
            self.samples.iter().map(Samples::to_json).collect();
        json!({ "lane": self.lane.name(), "samples": samples })
    }

    fn from_json(value: &Value) -> Option<LaneResults> {
        let lane = Lane::from_str(value["lane"].as_str()?, false).ok()?;
        let samples = value["samples"].as_array()?.iter();
        let samples = samples.map(Samples::from_json).collect::<Option<_>>()?;
        Some(LaneResults { lane, samples })
    }
}

impl Results {
    /// Writes all of it.
    pub(super) fn to_json(&self) -> Value {
        let lanes: Value =
            self.lanes.iter().map(LaneResults::to_json).collect();
        json!({ "machine": self.machine, "lanes": lanes })
    }

    /// Reads what [`Results::to_json`] wrote.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn from_json(text: &str) -> Result<Results> {
        let value: Value = serde_json::from_str(text).context("samples")?;
        let read = || {
            let machine = value["machine"].as_str()?.to_owned();
            let lanes = value["lanes"].as_array()?.iter();
            let lanes =
                lanes.map(LaneResults::from_json).collect::<Option<_>>()?;
            Some(Results { machine, lanes })
        };
        read().context("samples of another shape")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(millis: &[u64]) -> Samples {
        let times = millis.iter().map(|ms| Duration::from_millis(*ms));
        Samples::new("x", times.collect(), Some(1))
    }

    #[test]
    fn one_slow_run_does_not_move_the_median() {
        let samples = samples(&[5, 4, 900, 6, 5]);
        assert_eq!(samples.percentile(50), 5.0);
        assert_eq!(samples.percentile(100), 900.0);
        assert_eq!(samples.percentile(0), 4.0);
    }

    #[test]
    fn results_survive_the_way_between_processes() {
        let all = vec![samples(&[1, 2]), samples(&[3])];
        let lanes = vec![LaneResults { lane: Lane::Exec, samples: all }];
        let results = Results { machine: "here".into(), lanes };
        let text = results.to_json().to_string();
        assert_eq!(Results::from_json(&text).unwrap(), results);
    }

    #[test]
    fn a_contender_without_times_is_refused() {
        let text = r#"{"machine": "m", "lanes": [{"lane": "run",
            "samples": [{"name": "a", "micros": [], "memory_kib": 1}]}]}"#;
        assert!(Results::from_json(text).is_err());
        assert!(Results::from_json("[7]").is_err());
        assert!(Results::from_json("").is_err());
    }
}
