//! What is to be said of a source that is not read: findings of 16 bytes each, whose texts all sources
//! share, and how much was cleaned.

use std::io::{self, Write};

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use crate::article::Cleaned;
use crate::diagnostic::{Diagnostic, Place, RETRY_AFTER_FIX, Severity};
use crate::hashing::short_hash;

/// Texts of more bytes than these together are not remembered, nor are the sources that have them.
const MOST_TEXT_BYTES: usize = 32 * 1024 * 1024;

/// A finding: the number of its text; line, column and length of its place, 0 without one.
const FINDING_BYTES: usize = 16;

/// What is to be said of a source, as far as it is known without its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its findings. Their places have no texts, and their paths are empty.
    pub findings: Vec<Diagnostic>,
    /// What was cleaned.
    pub cleaned: Cleaned,
}

/// What findings of many sources have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Phrase {
    is_error: bool,
    code: String,
    message: String,
    help: Option<String>,
}

impl Phrase {
    fn of(found: &Diagnostic) -> Self {
        Self {
            is_error: found.severity == Severity::Error,
            code: found.code.clone(),
            message: found.message.clone(),
            help: found.help.clone(),
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.code.len()
            + self.message.len()
            + self.help.as_ref().map_or(0, String::len)
    }

    fn hash(&self) -> u64 {
        let mut hasher = blake3::Hasher::new();
        for text in [&self.code, &self.message] {
            hasher.update(text.as_bytes());
            hasher.update(&[0]);
        }
        short_hash(&hasher)
    }
}

/// The texts of findings, each once.
#[derive(Debug, Default)]
pub(super) struct Phrases {
    all: Vec<Phrase>,
    numbers: HashTable<u32>,
    bytes: usize,
}

impl Phrases {
    /// The number of a phrase; none where there is no room for another.
    pub(super) fn number(&mut self, phrase: Phrase) -> Option<u32> {
        let hash = phrase.hash();
        let is_it = |number: &u32| self.all[*number as usize] == phrase;
        if let Some(number) = self.numbers.find(hash, is_it) {
            return Some(*number);
        }
        let bytes = self.bytes + phrase.bytes();
        if bytes > MOST_TEXT_BYTES {
            return None;
        }
        let number = u32::try_from(self.all.len()).ok()?;
        self.bytes = bytes;
        self.all.push(phrase);
        let all = &self.all;
        self.numbers
            .insert_unique(hash, number, |number| all[*number as usize].hash());
        Some(number)
    }

    pub(super) fn get(&self, number: u32) -> Option<&Phrase> {
        self.all.get(number as usize)
    }

    /// All of them, to be read again.
    pub(super) fn to_bytes(&self) -> io::Result<Vec<u8>> {
        postcard::to_stdvec(&self.all).map_err(io::Error::other)
    }

    /// What [`Self::to_bytes`] gave.
    pub(super) fn from_bytes(bytes: &[u8]) -> io::Result<Self> {
        let all: Vec<Phrase> = postcard::from_bytes(bytes).map_err(io::Error::other)?;
        let mut phrases = Self::default();
        for phrase in all {
            let number = phrases.number(phrase);
            number.ok_or(io::ErrorKind::InvalidData)?;
        }
        Ok(phrases)
    }
}

impl Said {
    /// What was said of a source that has an article; none where trying again could help, or if its
    /// findings could not be remembered for another reason.
    pub(super) fn of(findings: &[Diagnostic], cleaned: Cleaned) -> Option<Self> {
        let can_be = |found: &Diagnostic| {
            let place = found.place.as_ref();
            found.retry == RETRY_AFTER_FIX && place.is_none_or(|place| place.line > 0)
        };
        findings.iter().all(can_be).then(|| Self {
            findings: findings.to_vec(),
            cleaned,
        })
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.findings.is_empty() && !self.cleaned.any()
    }

    /// As it is remembered, with the numbers of its `phrases`; none where these have no room.
    pub(super) fn to_bytes(&self, phrases: &mut Phrases) -> Option<Vec<u8>> {
        if self.is_nothing() {
            return Some(Vec::new());
        }
        let mut bytes = Vec::with_capacity(4 + self.findings.len() * FINDING_BYTES);
        bytes.extend(u32::try_from(self.findings.len()).ok()?.to_le_bytes());
        for found in &self.findings {
            let place = found.place.as_ref();
            let place = place.map_or([0; 3], |place| [place.line, place.column, place.length]);
            let [line, column, length] = place;
            for number in [phrases.number(Phrase::of(found))?, line, column, length] {
                bytes.extend(number.to_le_bytes());
            }
        }
        if self.cleaned.any() {
            for count in counts(&mut self.cleaned.clone()) {
                bytes.extend(count.to_le_bytes());
            }
        }
        Some(bytes)
    }

    /// What [`Self::to_bytes`] gave; none where that does not fit.
    pub(super) fn read(bytes: &[u8], phrases: &Phrases) -> Option<Self> {
        let mut said = Self::default();
        if bytes.is_empty() {
            return Some(said);
        }
        let (findings, rest) = split(bytes)?;
        for finding in findings {
            let [number, line, column, length] = numbers(finding);
            let phrase = phrases.get(number)?;
            said.findings.push(Diagnostic {
                severity: match phrase.is_error {
                    true => Severity::Error,
                    false => Severity::Warning,
                },
                code: phrase.code.clone(),
                message: phrase.message.clone(),
                path: std::sync::Arc::default(),
                place: (line > 0).then(|| Place {
                    line,
                    column,
                    length,
                    text: String::new(),
                    window_start: 1,
                }),
                help: phrase.help.clone(),
                retry: RETRY_AFTER_FIX,
            });
        }
        let (cleaned, rest) = rest.as_chunks::<8>();
        if !rest.is_empty() || !matches!(cleaned.len(), 0 | 5) {
            return None;
        }
        for (count, bytes) in counts(&mut said.cleaned).into_iter().zip(cleaned) {
            *count = u64::from_le_bytes(*bytes);
        }
        Some(said)
    }
}

/// Writes what is remembered of a source with other numbers of its phrases, which `number` gives.
pub(super) fn renumber(
    bytes: &[u8],
    number: &dyn Fn(u32) -> Option<u32>,
    output: &mut dyn Write,
) -> io::Result<()> {
    let Some((findings, rest)) = split(bytes) else {
        return output.write_all(bytes);
    };
    output.write_all(&bytes[..4])?;
    for finding in findings {
        let [old, ..] = numbers(finding);
        let new = number(old).ok_or(io::ErrorKind::InvalidData)?;
        output.write_all(&new.to_le_bytes())?;
        output.write_all(&finding[4..])?;
    }
    output.write_all(rest)
}

/// The numbers of the phrases in what is remembered of a source.
pub(super) fn phrases_of(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let findings = split(bytes).map(|(findings, _)| findings);
    let findings = findings.unwrap_or_default().iter();
    findings.map(|finding| numbers(finding)[0])
}

/// The findings, and what follows them.
fn split(bytes: &[u8]) -> Option<(&[[u8; FINDING_BYTES]], &[u8])> {
    let (count, rest) = bytes.split_first_chunk()?;
    let count = u32::from_le_bytes(*count) as usize;
    let (findings, rest) = rest.split_at_checked(count.checked_mul(FINDING_BYTES)?)?;
    Some((findings.as_chunks().0, rest))
}

fn numbers(finding: &[u8; FINDING_BYTES]) -> [u32; 4] {
    let (numbers, _) = finding.as_chunks();
    [0, 1, 2, 3].map(|place: usize| u32::from_le_bytes(numbers[place]))
}

fn counts(cleaned: &mut Cleaned) -> [&mut u64; 5] {
    let Cleaned {
        controls,
        bidi,
        invisible,
        normalised,
        folded,
    } = cleaned;
    [controls, bidi, invisible, normalised, folded]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> Said {
        let finding = |code: &str, line: u32| Diagnostic {
            severity: Severity::Warning,
            code: code.to_owned(),
            message: format!("of {code}"),
            path: std::sync::Arc::default(),
            place: (line > 0).then(|| Place {
                line,
                column: 7,
                length: 3,
                text: String::new(),
                window_start: 1,
            }),
            help: (line == 2).then(|| "help".to_owned()),
            retry: RETRY_AFTER_FIX,
        };
        Said {
            findings: vec![
                finding("summary", 2),
                finding("tags", 0),
                finding("summary", 9),
            ],
            cleaned: Cleaned {
                folded: 3,
                ..Cleaned::default()
            },
        }
    }

    #[test]
    fn what_was_said_comes_back_and_texts_are_kept_once() {
        let mut phrases = Phrases::default();
        let bytes = said().to_bytes(&mut phrases).unwrap();
        assert_eq!(bytes.len(), 4 + 3 * FINDING_BYTES + 5 * 8);
        let again = said().to_bytes(&mut phrases).unwrap();
        assert_eq!((again, phrases.all.len()), (bytes.clone(), 3));
        let phrases = Phrases::from_bytes(&phrases.to_bytes().unwrap()).unwrap();
        assert_eq!(Said::read(&bytes, &phrases), Some(said()));
        assert_eq!(Said::read(&[], &phrases), Some(Said::default()));
        for damaged in [&bytes[..3], &bytes[..20], &bytes[..bytes.len() - 1]] {
            assert_eq!(Said::read(damaged, &phrases), None);
        }
        assert_eq!(Said::read(&bytes, &Phrases::default()), None);
    }

    #[test]
    fn phrases_that_nobody_has_any_more_can_be_left_out() {
        let mut phrases = Phrases::default();
        let mut other = said();
        for found in &mut other.findings {
            found.message.push_str(" before");
        }
        other.to_bytes(&mut phrases).unwrap();
        let bytes = said().to_bytes(&mut phrases).unwrap();
        let mut kept = Phrases::default();
        for number in phrases_of(&bytes) {
            kept.number(phrases.get(number).unwrap().clone());
        }
        let number = |old| {
            let phrase = phrases.get(old)?;
            kept.all
                .iter()
                .position(|kept| kept == phrase)?
                .try_into()
                .ok()
        };
        let mut renumbered = Vec::new();
        renumber(&bytes, &number, &mut renumbered).unwrap();
        assert_eq!((renumbered.len(), kept.all.len()), (bytes.len(), 3));
        assert_eq!(Said::read(&renumbered, &kept), Some(said()));
    }

    #[test]
    fn there_is_a_limit_to_the_texts() {
        let mut phrases = Phrases::default();
        let mut long = said();
        long.findings[0].message = "x".repeat(MOST_TEXT_BYTES);
        assert_eq!(long.to_bytes(&mut phrases), None);
        assert!(said().to_bytes(&mut phrases).is_some());
    }
}
