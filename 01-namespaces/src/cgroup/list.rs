//! Sets of processors or memory nodes, as the kernel writes them: `0-3,7`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Numbers of processors or memory nodes.
///
/// Source: cpuset(7), "List format"
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberList(BTreeSet<u32>);

/// More processors than Linux supports: a list such as `0-4294967295` is a
/// mistake, and would be kept number by number.
const HIGHEST: u32 = 8191;

impl NumberList {
    /// Tells whether each of the numbers is in `other` too.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Goes through the numbers, from the lowest.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied()
    }

    /// Tells whether there is no number.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Says what a list has to look like.
///
/// Source: cpuset(7), "List format"
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a list such as 0-3,7")]
pub struct NotAList;

impl FromStr for NumberList {
    type Err = NotAList;

    fn from_str(text: &str) -> Result<Self, NotAList> {
        let number = |text: &str| match text.parse::<u32>() {
            Ok(number) if number <= HIGHEST && !text.starts_with('+') => {
                Ok(number)
            }
            _ => Err(NotAList),
        };
        let mut numbers = BTreeSet::new();
        for range in text.trim().split(',').filter(|_| !text.trim().is_empty())
        {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(NotAList);
            }
            numbers.extend(first..=last);
        }
        Ok(Self(numbers))
    }
}

impl fmt::Display for NumberList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let starts = self.0.iter().copied();
        for first in starts.filter(|n| *n == 0 || !self.0.contains(&(n - 1))) {
            write!(f, "{separator}{first}")?;
            let run = (first..).take_while(|n| self.0.contains(n));
            if let Some(last) = run.skip(1).last() {
                write!(f, "-{last}")?;
            }
            separator = ",";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> NumberList {
        text.parse().unwrap()
    }

    #[test]
    fn a_list_is_printed_in_its_shortest_form() {
        assert_eq!(list("7,0,1,2-3").to_string(), "0-3,7");
        assert_eq!(list("0-1\n").to_string(), "0-1");
        assert_eq!(list("").to_string(), "");
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for bad in ["a", "1-", "-1", "3-1", "0,,1", "0-99999999", "+1"] {
            assert_eq!(bad.parse::<NumberList>(), Err(NotAList), "{bad:?}");
        }
    }

    #[test]
    fn a_list_is_within_another_if_all_of_it_is() {
        assert!(list("1").is_within(&list("0-1")));
        assert!(!list("1-2").is_within(&list("0-1")));
    }
}
