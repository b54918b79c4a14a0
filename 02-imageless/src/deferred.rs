//! The options of one verb, described to clap only if it is the verb that is
//! called: to describe those of all verbs takes longer than to read any of them.

use clap::builder::Resettable;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

/// Options that wait for their verb.
pub(crate) struct Deferred<T>(pub(crate) T);

impl<T: Args> Args for Deferred<T> {
    fn augment_args(verb: Command) -> Command {
        verb.defer(|verb| described_as_before(verb, T::augment_args))
    }

    fn augment_args_for_update(verb: Command) -> Command {
        verb.defer(|verb| described_as_before(verb, T::augment_args_for_update))
    }
}

/// Adds options to a verb. What `--help` says of it stands at the verb; clap
/// would put in its place what is written at options that two verbs share.
fn described_as_before(verb: Command, add: fn(Command) -> Command) -> Command {
    let about = Resettable::from(verb.get_about().cloned());
    let long_about = Resettable::from(verb.get_long_about().cloned());
    add(verb).about(about).long_about(long_about)
}

impl<T: FromArgMatches> FromArgMatches for Deferred<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(
        &mut self,
        matches: &ArgMatches,
    ) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::Cli;
    use clap::CommandFactory;

    #[test]
    fn a_verbs_help_begins_with_what_is_written_at_the_verb() {
        let mut cli = Cli::command();
        cli.build();
        for (verb, begin) in [
            ("run", "Create and start a container;"),
            ("exec", "Run one more program in a container;"),
        ] {
            let verb = cli.find_subcommand_mut(verb).unwrap();
            let help = verb.render_long_help().to_string();
            assert!(help.starts_with(begin), "{help}");
            assert!(help.contains("<ID>"), "{help}");
        }
    }
}
