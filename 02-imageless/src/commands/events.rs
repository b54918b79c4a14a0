//! `events`: what a container uses, once or again and again, and that the
//! kernel has killed for want of memory.

use crate::cli::Global;
use crate::container::Container;
use crate::id::Id;
use crate::stats::stats;
use crate::{duration, report};
use anyhow::{Context, Result};
use namespaces::process::wait_for_end;
use serde_json::{Value, json};
use std::os::fd::AsFd;
use std::time::Duration;

#[derive(clap::Args)]
pub(crate) struct Events {
    /// Print it once
    #[arg(long)]
    stats: bool,
    /// Time between two: 500ms, 5s, 1m30s
    #[arg(long, value_name = "TIME", default_value = "5s",
          value_parser = duration::parse)]
    interval: Duration,
    /// The container's id
    #[arg(value_name = "ID")]
    id: String,
}

impl Events {
    /// Prints them.
    pub(crate) fn run(self, global: &Global) -> Result<()> {
        let container =
            Container::open(&global.root()?, &Id::parse(&self.id)?)?;
        let init = container.init_handle()?.context("container not running")?;
        let place = container.cgroup()?;
        let print = |kind: &str, data: Value| {
            let event =
                json!({"type": kind, "id": container.id(), "data": data});
            report::print(&format!("{event}\n"))
        };
        if self.stats {
            return print("stats", stats(&place.usage()?));
        }
        let mut killed = place.oom_kills()?;
        while !wait_for_end(init.as_fd(), self.interval)? {
            print("stats", stats(&place.usage()?))?;
            let now = place.oom_kills()?;
            if now > killed {
                print("oom", Value::Null)?;
            }
            killed = now;
        }
        Ok(())
    }
}
