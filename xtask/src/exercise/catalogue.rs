//! What exercises there are: every `exercise.md` among the examples of a stage.
//!
//! There is no list to keep. The file begins with `key: value` lines between
//! two `---`, then comes the task, then sections that a learner sees only on
//! demand: two or more `## Hint`, and the model answer of what is not code.
//! `main.rs` may be missing; then the check drives an OCI runtime itself.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// What the learner does, and so what is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Says what the kernel will do, in answers.txt; then it does it.
    Predict,
    /// Mends code with the calls in the wrong order.
    Fix,
    /// Writes the missing part.
    Build,
    /// Gets out.
    BreakOut,
    /// Writes answer.md; nobody judges it but a person.
    Explain,
}

/// The kinds, as exercise.md spells them.
const KINDS: [(&str, Kind); 5] = [
    ("predict", Kind::Predict),
    ("fix", Kind::Fix),
    ("build", Kind::Build),
    ("break out", Kind::BreakOut),
    ("explain", Kind::Explain),
];

impl Kind {
    /// The kind as one writes it.
    pub(crate) fn name(self) -> &'static str {
        let mut all = KINDS.iter();
        all.find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// What the learner edits, if exercise.md names no other file.
    fn file(self) -> &'static str {
        match self {
            Kind::Predict => "answers.txt",
            Kind::Explain => "answer.md",
            Kind::Fix | Kind::Build | Kind::BreakOut => PROGRAM,
        }
    }
}

/// The program's file in the folder of a started exercise.
pub(crate) const PROGRAM: &str = "src/main.rs";

/// One exercise, as its exercise.md tells.
#[derive(Clone, Debug)]
pub(crate) struct Exercise {
    /// Stage and number: `01.7`.
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) kind: Kind,
    /// How long it takes somebody who has read the chapter.
    pub(crate) minutes: u32,
    /// The file of the book's chapter, without `.md`.
    pub(crate) chapter: String,
    /// The claim at which what the learner begins with has to fail.
    pub(crate) fails: String,
    /// What the learner edits: of a bundle, `config.json`.
    pub(crate) file: String,
    /// A program of others that has to pass the check, too: `runc`.
    pub(crate) reference: Option<String>,
    pub(crate) task: String,
    pub(crate) hints: Vec<String>,
    /// The model answer of a prediction or an explanation.
    pub(crate) answer: Option<String>,
    /// What a good explanation says.
    pub(crate) criteria: Option<String>,
    /// Where exercise.md and main.rs lie.
    pub(crate) folder: PathBuf,
}

impl Exercise {
    /// The example's name for cargo.
    pub(crate) fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The tested code.
    pub(crate) fn source(&self) -> PathBuf {
        self.folder.join("main.rs")
    }

    /// Tells whether there is a program to build. Where there is none, what is
    /// checked is done by an OCI runtime.
    pub(crate) fn has_program(&self) -> bool {
        self.source().is_file()
    }

    /// Tells whether what the learner writes is the program.
    pub(crate) fn is_program(&self) -> bool {
        self.file == PROGRAM
    }

    /// The number of the stage: 2 of `02.7`.
    pub(crate) fn stage(&self) -> u8 {
        order(&self.id).0 as u8
    }
}

/// Reads every exercise of the repository, in the order of their numbers.
///
/// # Errors
/// An exercise.md is wrong (its line is named), or a number is there twice.
pub(crate) fn exercises(repository: &Path) -> Result<Vec<Exercise>> {
    let mut all = vec![];
    for stage in entries(repository)? {
        for folder in entries(&stage.join("examples")).unwrap_or_default() {
            let file = folder.join("exercise.md");
            if file.is_file() {
                let text = fs::read_to_string(&file)?;
                let shown = file.strip_prefix(repository).unwrap_or(&file);
                all.push(parse(&folder, &shown.display().to_string(), &text)?);
            }
        }
    }
    all.sort_by_key(|exercise| order(&exercise.id));
    if let Some(pair) = all.windows(2).find(|pair| pair[0].id == pair[1].id) {
        let [first, second] = [&pair[0], &pair[1]].map(Exercise::name);
        bail!("{first} and {second} are both exercise {}", pair[0].id);
    }
    Ok(all)
}

/// Finds an exercise by its number.
///
/// # Errors
/// There is none; the message lists those with the nearest numbers.
pub(crate) fn find(all: Vec<Exercise>, id: &str) -> Result<Exercise> {
    let near = nearest(&all, id).join(", ");
    all.into_iter().find(|exercise| exercise.id == id).with_context(|| {
        format!(
            "there is no exercise {id:?}\nhint: {near}; \
             `cargo xtask exercise list` shows all"
        )
    })
}

/// The numbers of the same stage that are nearest; else the first ones.
fn nearest(all: &[Exercise], id: &str) -> Vec<String> {
    let (stage, number) = order(id);
    let mut near: Vec<_> = all.iter().map(|e| order(&e.id)).collect();
    near.sort_by_key(|(s, n)| (s.abs_diff(stage), n.abs_diff(number)));
    near.iter().take(3).map(|(s, n)| format!("{s:02}.{n}")).collect()
}

/// `01.10` comes after `01.9`.
fn order(id: &str) -> (u32, u32) {
    let (stage, number) = id.split_once('.').unwrap_or((id, ""));
    (stage.parse().unwrap_or(0), number.parse().unwrap_or(0))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn parse(folder: &Path, file: &str, text: &str) -> Result<Exercise> {
    let rest = text.strip_prefix("---\n");
    let (head, body) = rest
        .and_then(|rest| rest.split_once("\n---\n"))
        .with_context(|| format!("{file}:1: no lines between two `---`"))?;
    let optional = |key: &str| {
        let found = pairs(head).find(|(name, _)| *name == key);
        found.map(|(_, value)| value.to_owned())
    };
    let value = |key: &str| {
        optional(key).with_context(|| format!("{file}:1: no `{key}: ..`"))
    };
    let kind = value("kind")?;
    let known = KINDS.iter().find(|(name, _)| *name == kind);
    let (_, kind) =
        *known.with_context(|| format!("{file}: no kind is {kind:?}"))?;
    let minutes = value("minutes")?
        .parse()
        .with_context(|| format!("{file}: minutes: a number"))?;
    let (task, sections) = split(body);
    let all = |title: &str| {
        let wanted = sections.iter().filter(move |(name, _)| *name == title);
        wanted.map(|(_, text)| text.to_string()).collect::<Vec<_>>()
    };
    let hints = all("Hint");
    if hints.len() < 2 {
        bail!("{file}: {} hints; two are the least", hints.len());
    }
    Ok(Exercise {
        id: value("id")?,
        title: value("title")?,
        kind,
        minutes,
        chapter: value("chapter")?,
        fails: value("fails")?,
        file: optional("file").unwrap_or_else(|| kind.file().to_owned()),
        reference: optional("reference"),
        task: task.to_owned(),
        hints,
        answer: all("Answer").pop(),
        criteria: all("Criteria").pop(),
        folder: folder.to_owned(),
    })
}

/// The `key: value` lines of a text; others are passed over.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.trim(), value.trim()))
}

/// The task, then the sections as (title, text).
fn split(body: &str) -> (&str, Vec<(&str, &str)>) {
    let mut parts = body.split("\n## ");
    let task = parts.next().unwrap_or_default().trim();
    let sections = parts.filter_map(|part| part.split_once('\n'));
    (task, sections.map(|(name, text)| (name.trim(), text.trim())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "---\nid: 01.2\ntitle: T\nkind: break out\nminutes: 9\n\
        chapter: c\nfails: it holds\n---\nDo.\n\n## Hint\nA\n\n## Hint\nB\n";

    fn read(text: &str) -> Result<Exercise> {
        parse(Path::new("x/name"), "exercise.md", text)
    }

    #[test]
    fn an_exercise_is_read_with_its_hints_apart_from_its_task() {
        let exercise = read(GOOD).unwrap();
        assert_eq!((exercise.kind, exercise.minutes), (Kind::BreakOut, 9));
        assert_eq!(
            (&*exercise.task, &exercise.hints[..]),
            ("Do.", &["A".to_owned(), "B".to_owned()][..])
        );
    }

    #[test]
    fn what_is_edited_is_the_kinds_file_or_another() {
        assert!(read(GOOD).unwrap().is_program());
        let bundle = GOOD.replace("minutes", "file: config.json\nminutes");
        assert_eq!(read(&bundle).unwrap().file, "config.json");
    }

    #[test]
    fn what_is_missing_is_named() {
        for (cut, complaint) in [
            ("kind: break out\n", "no `kind: ..`"),
            ("## Hint\nA\n", "1 hints"),
            ("fails: it holds\n", "no `fails: ..`"),
            ("---\nDo", "no lines between"),
        ] {
            let error = read(&GOOD.replace(cut, "")).unwrap_err().to_string();
            assert!(error.starts_with("exercise.md"), "{error}");
            assert!(error.contains(complaint), "{error}");
        }
    }

    #[test]
    fn an_unknown_number_is_answered_with_the_nearest() {
        let numbered =
            |id: &str| Exercise { id: id.into(), ..read(GOOD).unwrap() };
        let all = ["01.1", "01.2", "01.9", "01.10"].map(numbered).to_vec();
        let error = find(all, "01.12").unwrap_err().to_string();
        assert!(error.contains("hint: 01.10, 01.9, 01.2;"), "{error}");
    }
}
