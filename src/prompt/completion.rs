//! Completion of symbols, from the memory of the image.

use geiko_runtime::image::Names;
use geiko_runtime::image::functions::symbols;
use geiko_runtime::layout::{Generation, SymbolCell};
use geiko_runtime::memory::LispPtr;

/// The package whose symbols are written without a prefix.
const USER_PACKAGE: &str = "LISP";

/// The symbols that `part`, the beginning of one, may become: written as `part` is,
/// sorted.
pub fn completions<G: Generation>(names: &Names<'_, G>, part: &str) -> Vec<String> {
    let (prefix, beginning) = match part.rfind(':') {
        Some(colon) => part.split_at(colon + 1),
        None => ("", part),
    };
    let package = match prefix.trim_end_matches(':').to_uppercase() {
        _ if prefix == ":" => names.package("KEYWORD"),
        name if name.is_empty() => names.package(USER_PACKAGE),
        name => names.package(&name),
    };
    let Some(package) = package else {
        return Vec::new();
    };
    let wanted = beginning.to_uppercase();
    let upper = !beginning.is_empty()
        && beginning.chars().any(char::is_uppercase)
        && !beginning.chars().any(char::is_lowercase);
    let mut found: Vec<_> = symbols(names.mem())
        .filter(|&symbol| names.package_number(symbol) == package.number)
        .filter_map(|symbol| Some((symbol, names.print_name(symbol)?)))
        .filter(|(_, name)| name.starts_with(&wanted) && needs_no_bars(name))
        .filter(|&(symbol, _)| prefix == ":" || means_something(names, symbol))
        .map(|(_, name)| {
            let name = if upper { name } else { name.to_lowercase() };
            format!("{prefix}{name}")
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether a name reads as itself.
fn needs_no_bars(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|c| c.is_lowercase() || c.is_whitespace() || "()'`,\";|#\\:".contains(c))
}

/// Whether a symbol is a function, a variable, a macro or the like.
fn means_something<G: Generation>(names: &Names<'_, G>, symbol: LispPtr) -> bool {
    let cell = |cell| names.mem().cell(G::symbol_cell(symbol, cell)).masked::<G>();
    !cell(SymbolCell::Definition).is_nil()
        || !cell(SymbolCell::PropertyList).is_nil()
        || cell(SymbolCell::Value) != LispPtr::NOBIND
}
