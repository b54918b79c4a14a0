//! The options of one verb, described to clap only if it is the verb that is
//! called: to describe those of all verbs takes longer than to read any of them.

use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

/// Options that wait for their verb.
pub(crate) struct Deferred<T>(pub(crate) T);

impl<T: Args> Args for Deferred<T> {
    fn augment_args(verb: Command) -> Command {
        verb.defer(T::augment_args)
    }

    fn augment_args_for_update(verb: Command) -> Command {
        verb.defer(T::augment_args_for_update)
    }
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
