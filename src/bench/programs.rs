//! The benchmark programs as they are written down.

use std::collections::HashMap;

use geiko_forge::Symbol;
use geiko_forge::code::{Code, Definition, Target};
use geiko_forge::datum::Datum;
use geiko_forge::reader::read_all;
use geiko_forge::source::BENCHMARKS;

/// Likeness from which a name is worth proposing.
const LIKE: f64 = 0.7;

/// A benchmark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Benchmark {
    /// Its name.
    pub name: String,
    /// The file it is in.
    pub file: &'static str,
    /// Evaluations that make up a measurement.
    pub count: u16,
    /// How many benchmarks were defined before it.
    pub number: usize,
}

/// All benchmarks, in the order of their definitions.
pub fn all() -> Vec<Benchmark> {
    let mut benchmarks = Vec::new();
    for source in BENCHMARKS {
        // The built-in sources can be read.
        let forms = read_all(source.name, source.text).unwrap_or_default();
        for (name, count) in forms.iter().filter_map(definition) {
            benchmarks.push(Benchmark {
                name,
                file: source.name,
                count,
                number: benchmarks.len(),
            });
        }
    }
    benchmarks
}

/// Name and count of `(define-benchmark NAME COUNT FORM EXPECTED)`.
fn definition(form: &Datum) -> Option<(String, u16)> {
    if !form.operator()?.is("DEFINE-BENCHMARK") {
        return None;
    }
    let parts = form.proper_list()?;
    let [_, Datum::String(name), Datum::Integer(count), _, _] = &parts[..] else {
        return None;
    };
    Some((name.to_string(), u16::try_from(count).ok()?))
}

/// The benchmarks with these names, all without any; or the name that is wrong and
/// the one that may be meant.
pub fn named(names: &[String]) -> Result<Vec<Benchmark>, (String, Option<String>)> {
    let all = all();
    let unknown = |name: &&String| all.iter().all(|benchmark| benchmark.name != **name);
    if let Some(name) = names.iter().find(unknown) {
        let like = all
            .iter()
            .map(|known| (strsim::jaro_winkler(name, &known.name), &known.name))
            .filter(|&(likeness, _)| likeness >= LIKE)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, known)| known.clone());
        return Err((name.clone(), like));
    }
    Ok(all
        .into_iter()
        .filter(|benchmark| names.is_empty() || names.contains(&benchmark.name))
        .collect())
}

/// Bytes of byte code of every benchmark, with the functions of its file that it
/// uses.
pub fn code_bytes(definitions: &[Definition]) -> Vec<usize> {
    let mut functions = HashMap::new();
    let mut starts = Vec::new();
    for definition in definitions {
        match definition {
            Definition::Function(name, code) => {
                functions.insert(name, code);
            }
            Definition::Initial(code) if defines_benchmark(code) => starts.push(code),
            _ => {}
        }
    }
    let in_file = |file: &str| -> HashMap<_, _> {
        let inside = |code: &Code| {
            code.place
                .as_ref()
                .is_some_and(|place| *place.file == *file)
        };
        functions
            .iter()
            .filter(|(_, code)| inside(code))
            .map(|(name, code)| (*name, *code))
            .collect()
    };
    starts
        .iter()
        .map(|start| {
            let file = start.place.as_ref().map_or("", |place| &place.file);
            let mut functions = in_file(file);
            let mut bytes = 0;
            let mut waiting: Vec<&Code> = inner(start).collect();
            while let Some(code) = waiting.pop() {
                bytes += code.bytes.len();
                waiting.extend(inner(code));
                for reference in &code.references {
                    if let Target::Symbol(name) = &reference.target {
                        waiting.extend(functions.remove(name));
                    }
                }
            }
            bytes
        })
        .collect()
}

/// Functions written inside a function.
fn inner(code: &Code) -> impl Iterator<Item = &Code> {
    code.references
        .iter()
        .filter_map(|reference| match &reference.target {
            Target::Code(code) | Target::Closure(code) => Some(&**code),
            _ => None,
        })
}

/// True of the initial form that a benchmark becomes.
fn defines_benchmark(code: &Code) -> bool {
    let is_list = |name: &Symbol| name.is("*BENCHMARKS*");
    code.free.iter().any(is_list)
        || code
            .references
            .iter()
            .any(|reference| matches!(&reference.target, Target::Symbol(name) if is_list(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_different_and_counts_are_small_integers() {
        let all = all();
        assert!(all.len() > 40);
        for benchmark in &all {
            let same = all.iter().filter(|other| other.name == benchmark.name);
            assert_eq!(same.count(), 1, "{}", benchmark.name);
            assert!(benchmark.count > 0, "{}", benchmark.name);
        }
        let defined = BENCHMARKS
            .iter()
            .map(|source| source.text.matches("\n(define-benchmark ").count());
        assert_eq!(all.len(), defined.sum::<usize>());
    }

    #[test]
    fn choosing() {
        let names = |chosen: &[&str]| -> Vec<_> {
            let names: Vec<_> = chosen.iter().map(|name| (*name).to_owned()).collect();
            let benchmarks = named(&names).expect("known");
            benchmarks.into_iter().map(|known| known.name).collect()
        };
        assert_eq!(names(&[]).len(), all().len());
        assert_eq!(names(&["fib", "tak"]), ["tak", "fib"]);
        assert_eq!(
            named(&["mandelbrod".into()]),
            Err(("mandelbrod".into(), Some("mandelbrot".into())))
        );
        assert_eq!(named(&["zzz".into()]), Err(("zzz".into(), None)));
    }
}
