//! The list of mutants, `xtask/mutants.txt`: which text of which file, what
//! comes in its place, and the test that has to fail then. Pure: who reads the
//! files and runs the tests is `mutants`; the tidy tests check the list too.

use std::num::NonZeroUsize;

/// One line less, or another one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mutant {
    /// The file, relative to the repository.
    pub(crate) file: String,
    /// What stands in it exactly once.
    pub(crate) text: String,
    /// What comes in its place; mostly nothing.
    pub(crate) instead: String,
    /// The test that has to fail.
    pub(crate) test: Test,
}

/// A test, as cargo finds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Test {
    /// The package.
    pub(crate) package: String,
    /// Its test program; `lib` and `bin` for the unit tests.
    pub(crate) program: String,
    /// Its name with its modules.
    pub(crate) name: String,
}

/// Reads the list: `[FILE]`, then for each mutant `- TEXT`, perhaps
/// `+ INSTEAD`, and `! PACKAGE PROGRAM TEST`. A `#` begins a comment.
///
/// # Errors
/// The number of a line that is not so.
pub(crate) fn parse(list: &str) -> Result<Vec<Mutant>, String> {
    let (mut file, mut text, mut instead) = ("", None, "");
    let mut mutants = vec![];
    for (number, line) in list.lines().enumerate() {
        let wrong = |what: &str| format!("line {}: {what}", number + 1);
        match line.split_at(line.len().min(2)) {
            ("", _) | ("# ", _) => {}
            ("- ", rest) => text = Some(rest),
            ("+ ", rest) => instead = rest,
            ("! ", rest) => mutants.push(Mutant {
                file: file.to_owned(),
                text: text.take().ok_or(wrong("no `- ` before"))?.to_owned(),
                instead: std::mem::take(&mut instead).to_owned(),
                test: test(rest).ok_or(wrong("not PACKAGE PROGRAM TEST"))?,
            }),
            _ => {
                let name = line.strip_prefix('[');
                let name = name.and_then(|name| name.strip_suffix(']'));
                file = name.ok_or(wrong("begins with none of # [ - + !"))?;
            }
        }
    }
    Ok(mutants)
}

/// Picks every `of`th mutant. Which share that is, `number` decides; it is
/// never empty.
pub(crate) fn share(
    all: Vec<Mutant>,
    number: usize,
    of: NonZeroUsize,
) -> Vec<Mutant> {
    let shares = of.get().min(all.len()).max(1);
    all.into_iter().skip(number % shares).step_by(of.get()).collect()
}

fn test(words: &str) -> Option<Test> {
    let mut words = words.split(' ').map(str::to_owned);
    let (package, program) = (words.next()?, words.next()?);
    let name = words.next()?;
    words.next().is_none().then_some(Test { package, program, name })
}

impl Mutant {
    /// Makes it of the file's text.
    ///
    /// # Errors
    /// The text is not there exactly once.
    pub(crate) fn apply(&self, source: &str) -> Result<String, String> {
        match source.matches(&self.text).count() {
            1 => Ok(source.replacen(&self.text, &self.instead, 1)),
            count => Err(format!(
                "{}: `{}` is there {count} times, not once\n\
                 hint: if that code has changed, so must xtask/mutants.txt",
                self.file, self.text
            )),
        }
    }
}
